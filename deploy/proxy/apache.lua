-- Asks Ostiary's gate about a request: `LuaHookAccessChecker … check early` in apache.conf, which says where the gate is.
-- Whatever goes wrong in here is an error to Apache, which then answers 500: nobody passes unasked.

local socket = require("socket")
-- A gate that takes longer than this is a no.
local SECONDS = 10
-- What the gate tells with each yes.
local IDENTITY = { "Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Ostiary-Assertion" }

-- What no client may say, "-", "_" and "." being the same to CGI, WSGI and PHP: who it is, where it comes from, and
-- what it asks for beside the address, which some frameworks believe more than the address.
local FORGED = {
  "^remote%-user$", "^remote%-email$", "^remote%-name$", "^remote%-groups$", "^x%-ostiary%-",
  "^forwarded$", "^x%-forwarded", "^x%-original%-", "^x%-rewrite%-", "^x%-http%-method", "^x%-method%-override$",
  "^x%-real%-ip$", "^x%-client%-ip$", "^true%-client%-ip$",
}
-- About this connection and this body. The gate gets neither.
local DROPPED = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
  ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true,
}

-- One connection to the gate for each thread of Apache, as long as it lasts.
local line

-- A connection to the gate: by TCP, or by the socket of the fast listener.
local function connect(gate)
  local path = gate:match("^unix:(.+)$")
  local made
  if path then
    made = require("socket.unix")()
    assert(made:connect(path))
  else
    local host, port = gate:match("^(.+):(%d+)$")
    made = assert(socket.tcp())
    made:settimeout(SECONDS)
    assert(made:connect(host, tonumber(port)))
    made:setoption("tcp-nodelay", true)
  end
  made:settimeout(SECONDS)
  return made
end

-- One answer from the line; nil when the gate has closed it meanwhile.
local function read()
  local status = line:receive("*l")
  if not status then
    return nil
  end
  local answer = { status = tonumber(status:match("^HTTP/1%.1 (%d%d%d)")), headers = {}, body = "" }
  for header in function() return assert(line:receive("*l")) end do
    if header == "" then
      break
    end
    local name, value = header:match("^([^:]+):%s*(.-)%s*$")
    answer.headers[name:lower()] = value
  end
  local length = assert(tonumber(answer.headers["content-length"]), "the gate did not say how long its answer is")
  if length > 0 then
    answer.body = assert(line:receive(length))
  end
  if (answer.headers["connection"] or ""):lower() == "close" then
    line:close()
    line = nil
  end
  return answer
end

-- The gate's answer. A connection that the gate has closed meanwhile is replaced once.
local function ask(gate, question)
  for attempt = 1, 2 do
    local fresh = line == nil
    line = line or connect(gate)
    local sent = line:send(question)
    local told, answer = pcall(read)
    if sent and told and answer then
      return answer
    end
    if line then
      line:close()
    end
    line = nil
    if fresh or attempt == 2 then
      error("the gate does not answer")
    end
  end
end

-- Whether no client may say this, in whatever spelling.
local function forged(name)
  local plain = name:lower():gsub("[_.]", "-")
  for _, pattern in ipairs(FORGED) do
    if plain:find(pattern) then
      return true
    end
  end
  return false
end

-- Ours, with the prefixes that browsers protect: `ostiary`, `__Host-ostiary-site` …
local function ours(cookie)
  local plain = cookie:gsub("^__Host%-", ""):gsub("^__Secure%-", "")
  return plain == "ostiary" or plain:find("^ostiary%-") ~= nil
end

-- The cookies without ours. Apache joins two Cookie headers by a comma, so one may hide behind it.
local function cookies(given)
  local kept = {}
  for piece in given:gmatch("[^;]+") do
    local keep = true
    for name in piece:gmatch("([^%s,=]+)%s*=") do
      keep = keep and not ours(name)
    end
    if keep then
      table.insert(kept, piece:match("^%s*(.-)%s*$"))
    end
  end
  return #kept > 0 and table.concat(kept, "; ") or nil
end

-- Takes out what no client may say, and says instead what is known.
local function tell(r)
  for name in pairs(r:headers_in_table()) do
    if forged(name) then
      r.headers_in[name] = nil
    end
  end
  r.headers_in["Host"] = r.subprocess_env["ostiary_site"]
  r.headers_in["X-Forwarded-Host"] = r.subprocess_env["ostiary_site"]
  r.headers_in["X-Forwarded-Proto"] = r.is_https and "https" or "http"
  r.headers_in["X-Forwarded-For"] = r.useragent_ip
  -- Requests are numbered by us, not by the client.
  r.headers_in["X-Request-Id"] = r:md5(r.subprocess_env["UNIQUE_ID"])
end

-- What the gate is asked: the client's headers, and what Apache knows about the request.
local function question(r)
  local lines = {
    "GET /gate HTTP/1.1",
    "Host: gate",
    "X-Forwarded-Method: " .. r.method,
    "X-Forwarded-Uri: " .. r.unparsed_uri,
  }
  for name, value in pairs(r:headers_in_table()) do
    if not DROPPED[name:lower()] then
      table.insert(lines, name .. ": " .. value)
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- Sends the client what the gate said: the way to the sign-in page, or why not.
local function hand_on(r, answer)
  r.status = answer.status
  for _, name in ipairs({ "Location", "WWW-Authenticate", "Cache-Control", "Vary", "Retry-After" }) do
    if answer.headers[name:lower()] then
      r.err_headers_out[name] = answer.headers[name:lower()]
    end
  end
  r.content_type = answer.headers["content-type"] or "text/plain"
  r:write(answer.body)
  return apache2.DONE
end

-- What Apache calls before it serves anything: OK lets the request pass, everything else ends it.
function check(r)
  -- "GET http://elsewhere/…" and "OPTIONS *": one place for the address is enough.
  if r.unparsed_uri:sub(1, 1) ~= "/" then
    return 400
  end
  local listed = (r.headers_in["Connection"] or ""):lower()
  for _, word in ipairs({ "remote", "ostiary", "forwarded", "cookie", "authorization" }) do
    if listed:find(word, 1, true) then
      return 400
    end
  end
  tell(r)
  if r.unparsed_uri:find("^/%.ostiary/[a-z][a-z.-]*$") or r.unparsed_uri:find("^/%.ostiary/[a-z][a-z.-]*%?") then
    return apache2.OK
  end
  local answer = ask(r.subprocess_env["ostiary_gate"], question(r))
  if answer.status == 302 or answer.status == 303 or answer.status == 401 or answer.status == 403 then
    return hand_on(r, answer)
  end
  if answer.status ~= 200 then
    return 503
  end
  for _, name in ipairs(IDENTITY) do
    r.headers_in[name] = assert(answer.headers[name:lower()], "the gate left out " .. name)
  end
  r.headers_in["Cookie"] = r.headers_in["Cookie"] and cookies(r.headers_in["Cookie"])
  local kind = (r.headers_in["Authorization"] or ""):lower():match("^%s*bearer%s+(%a+)_")
  if kind == "os" or kind == "osp" or kind == "oh" then
    r.headers_in["Authorization"] = nil
  end
  return apache2.OK
end
