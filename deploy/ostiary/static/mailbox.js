// Shows a new mail without a click: asks every two seconds while the page is in view, and loads it anew on news.
const inbox = document.getElementById("inbox");

async function look() {
  if (document.hidden) return;
  try {
    const mails = await (await fetch("/api/messages")).json();
    if ((mails[0]?.received_at ?? "") !== inbox.dataset.newest) location.reload();
  } catch {
    // The server has stopped; the page keeps what it shows.
  }
}

setInterval(look, 2000);
