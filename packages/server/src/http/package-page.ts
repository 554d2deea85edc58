/** What the page does: it never puts the token into a URL, and does nothing before its reader asks for it. */
const SCRIPT = `
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const at = (id) => document.getElementById(id);
const say = (text) => { at('told').textContent = text; };
const post = async (path, body) => {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
};
if (token === '') say('This page needs the whole link from your mail. Open it from there again.');
else at('ask').hidden = false;
at('ask').onsubmit = async (event) => {
  event.preventDefault();
  try {
    const { minutes } = await post('/api/v1/package-links:code', { token });
    say('We sent you a code by mail. It is valid for ' + minutes + ' minutes.');
    at('enter').hidden = false;
    at('code').focus();
  } catch (error) { say(error.message); }
};
at('enter').onsubmit = async (event) => {
  event.preventDefault();
  try {
    const opened = await post('/api/v1/package-links:open', { token, code: at('code').value.replaceAll(/\\s/g, '') });
    at('ask').hidden = at('enter').hidden = true;
    at('download').href = '/api/v1/package-downloads/' + opened.link_id;
    at('ready').hidden = false;
    say('');
  } catch (error) { say(error.message); }
};
`;

/** `/package`: where a person opens the link to their package. The nonce allows its one script and its one style. */
export function packagePage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>Your data</title>
<style nonce="${nonce}">
:root { color-scheme: light dark; }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
input, button, a.button { font: inherit; padding: .5rem .9rem; }
input { width: 9rem; letter-spacing: .15em; }
</style>
</head>
<body>
<main>
<h1>Your data</h1>
<noscript><p>This page needs JavaScript, so that the secret part of your link stays on your device.</p></noscript>
<p id="told" role="status" aria-live="polite"></p>
<form id="ask" hidden>
<p>To see that it is you, we send a code to the address of your request.</p>
<button>Send me a code</button>
</form>
<form id="enter" hidden>
<p><label for="code">The code from the mail</label></p>
<p><input id="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required> <button>Open</button></p>
</form>
<div id="ready" hidden>
<p><a id="download" class="button" download>Download your data</a></p>
<p>It is a zip file. Open <code>index.html</code> in it. A download that breaks can be gone on with for a day.</p>
</div>
</main>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`;
}
