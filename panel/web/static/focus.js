// Gives the terminal the focus when it is created and when the window gets it, so that keys work without a click.
"use strict";
// Before the terminal is created: on a phone, some 54 columns fit then.
if (window.innerWidth < 600) document.getElementById("terminal").dataset.fontSize = "12";
function focusTerminal() {
  const input = document.querySelector(".xterm-helper-textarea");
  if (input) input.focus();
}
new MutationObserver((_changes, observer) => {
  if (document.querySelector(".xterm-helper-textarea")) { observer.disconnect(); focusTerminal(); }
}).observe(document.getElementById("terminal"), { childList: true, subtree: true });
window.addEventListener("focus", focusTerminal);
document.addEventListener("click", focusTerminal);
