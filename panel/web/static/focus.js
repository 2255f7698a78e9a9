// Keys work without a click first: the terminal takes the focus as soon as it is there, and when the window does.
"use strict";
function focusTerminal() {
  const input = document.querySelector(".xterm-helper-textarea");
  if (input) input.focus();
}
new MutationObserver((_changes, observer) => {
  if (document.querySelector(".xterm-helper-textarea")) { observer.disconnect(); focusTerminal(); }
}).observe(document.getElementById("terminal"), { childList: true, subtree: true });
window.addEventListener("focus", focusTerminal);
document.addEventListener("click", focusTerminal);
