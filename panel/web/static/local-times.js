// Writes the times of the page itself as the browser's person reads them: in the person's time zone and language.
"use strict";
for (const one of document.querySelectorAll("time")) {
  one.textContent = new Date(one.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
