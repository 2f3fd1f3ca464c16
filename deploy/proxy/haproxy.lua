-- Asks Ostiary's gate about a request: `http-request lua.ostiary` in haproxy.cfg, which also says in GATE_ADDRESS where
-- the gate is. Where that says yes, `txn.ostiary_passed` is true and what it told of the person stands in
-- `txn.ostiary_user` and so on; nothing else sets these. Any error in here leaves it unset: then nobody passes.

local gate = os.getenv("GATE_ADDRESS")
-- A gate that takes longer than this is a no.
local MILLISECONDS = 10000

-- What the gate tells, and where haproxy.cfg finds it.
local told = {
  ["remote-user"] = "txn.ostiary_user",
  ["remote-email"] = "txn.ostiary_email",
  ["remote-name"] = "txn.ostiary_name",
  ["remote-groups"] = "txn.ostiary_groups",
  ["x-ostiary-assertion"] = "txn.ostiary_assertion",
}

-- Ours, with the prefixes that browsers protect: `ostiary`, `__Host-ostiary-site` …
local function ours(cookie)
  local plain = cookie:gsub("^__Host%-", ""):gsub("^__Secure%-", "")
  return plain == "ostiary" or plain:find("^ostiary%-") ~= nil
end

-- About this connection and this body. The gate gets neither.
local dropped = {
  ["connection"] = true,
  ["content-length"] = true,
  ["expect"] = true,
  ["host"] = true,
  ["keep-alive"] = true,
  ["proxy-connection"] = true,
  ["te"] = true,
  ["trailer"] = true,
  ["transfer-encoding"] = true,
}

-- The client's headers, and what is asked about: set here, after haproxy.cfg has removed what the client said of it.
local function question(txn, headers)
  local asks = {}
  for name, values in pairs(headers) do
    if not dropped[name] then
      asks[name] = {}
      for _, value in pairs(values) do
        table.insert(asks[name], value)
      end
    end
  end
  asks["x-forwarded-method"] = { txn.sf:method() }
  asks["x-forwarded-uri"] = { txn.sf:url() }
  return asks
end

-- The cookies without ours, as one header; nil where none are left.
local function cookies(headers)
  local kept = {}
  for _, line in pairs(headers["cookie"] or {}) do
    for piece in line:gmatch("[^;]+") do
      local name = piece:match("^%s*(.-)%s*=") or piece:match("^%s*(.-)%s*$")
      if name ~= "" and not ours(name) then
        table.insert(kept, piece:match("^%s*(.-)%s*$"))
      end
    end
  end
  if #kept > 0 then
    return table.concat(kept, "; ")
  end
end

-- Sends the client what the gate said: the way to the sign-in page, or why not. Ends the request.
local function hand_on(txn, answer)
  local reply = txn:reply({ status = answer.status, body = answer.body })
  for name, values in pairs(answer.headers or {}) do
    if not dropped[name] then
      for _, value in pairs(values) do
        reply:add_header(name, value)
      end
    end
  end
  txn:done(reply)
end

-- The first value of a header: the gate sends each of its own once.
local function first(headers, name)
  for _, value in pairs(headers[name] or {}) do
    return value
  end
end

-- The question itself. Only where all is well to its end does the last line say that the request may pass.
core.register_action("ostiary", { "http-req" }, function(txn)
  local headers = txn.http:req_get_headers()
  local answer = core.httpclient():get({
    url = "http://gate/gate",
    dst = gate,
    headers = question(txn, headers),
    timeout = MILLISECONDS,
  })
  if answer.status == 302 or answer.status == 303 or answer.status == 401 or answer.status == 403 then
    return hand_on(txn, answer)
  end
  if answer.status ~= 200 then
    return
  end
  for name, variable in pairs(told) do
    local value = first(answer.headers, name)
    if not value then
      return
    end
    txn:set_var(variable, value)
  end
  local left = cookies(headers)
  if left then
    txn:set_var("txn.ostiary_cookies", left)
  end
  txn:set_var("txn.ostiary_passed", true)
end, 0)
