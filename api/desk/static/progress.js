// Looks every two seconds how far work has come; when it has ended, the page is read anew.
const shown = document.querySelector("[data-poll]");

async function look() {
  if (document.hidden) return;
  const answer = await fetch(shown.dataset.poll).catch(() => null);
  if (!answer?.ok) return;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  shown.replaceChildren(...part.body.childNodes);
  if (!shown.querySelector("[data-running]")) location.reload();
}

setInterval(look, 2000);
