// Replaces WebSocket before the terminal's own script loads, with a socket that reconnects by itself.
// When the panel's container is replaced, the page keeps what it shows, connects again, and then sends the keys that
// were pressed meanwhile. The tab keeps the session's id, so that the new release can continue that session.
"use strict";
(() => {
  const Native = window.WebSocket;
  const PAUSES_MS = [0, 50, 100, 200, 400];
  const SIGN_IN_AGAIN = 4401;
  const ENDED = 4410;
  const FAILED = 4411;
  const TOO_MANY_PAGES = 4429;
  const HAS_FAILED = "The panel's process for this page has failed.";
  const LONG_PAUSE_MS = 5000;
  const HIDDEN_MS = 10 * 60 * 1000;
  // A connection that is away for so short a time, as when the container is replaced, is not worth a word.
  const SAID_AFTER_MS = 1000;
  // Keys that are kept while nothing answers. A moved mouse is many.
  const MOST_WAITING = 1000;

  let isSigningOut = false;
  // The session ends before the answer to the form is here: the page waits for that answer.
  document.addEventListener("submit", () => { isSigningOut = true; });

  function say(text) {
    const state = document.getElementById("state");
    if (state) state.textContent = text;
  }

  function duration(seconds) {
    if (seconds < 120) return `${seconds} s`;
    return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
  }

  function sessionId() {
    let id = sessionStorage.getItem("changeover-session");
    if (!id) {
      id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
      sessionStorage.setItem("changeover-session", id);
    }
    return id;
  }

  // The IANA name of the person's time zone, in which the panel writes times.
  function zone() {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  }

  window.WebSocket = class extends EventTarget {
    constructor(path) {
      super();
      const url = new URL(path, location.href);
      url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
      url.searchParams.set("session", sessionId());
      this.url = url;
      this.waiting = [];
      this.failures = 0;
      this.ever = false;
      this.asleep = false;
      this.reason = "";
      this.lost();
      document.addEventListener("visibilitychange", () => this.rest());
      this.open();
      this.rest();
    }

    // A tab that nobody has looked at for HIDDEN_MS gives its process back. When it is shown again, it goes on as after
    // a replacement of the container.
    rest() {
      clearTimeout(this.resting);
      if (this.live) this.tellWhetherShown();
      if (document.hidden) {
        this.resting = setTimeout(() => {
          this.asleep = true;
          this.found();
          clearTimeout(this.opening);
          this.socket.close();
        }, HIDDEN_MS);
      } else if (this.asleep) {
        this.asleep = false;
        this.failures = 0;
        this.lost();
        this.open();
      }
    }

    // One line says for how long nothing answers, and why if that is known. The last picture stays below it.
    lost() {
      const since = this.since = this.since || Date.now();
      clearInterval(this.saying);
      const again = () => {
        const lostMs = Date.now() - since;
        const howLong = lostMs < SAID_AFTER_MS ? "" : `No connection for ${duration(Math.round(lostMs / 1000))}. Connecting again.`;
        say(this.reason || howLong);
      };
      again();
      this.saying = setInterval(again, 1000);
    }

    found() {
      clearInterval(this.saying);
      this.since = 0;
      this.reason = "";
      say("");
    }

    // The process paints nothing, and nothing wakes it, while nobody looks.
    tellWhetherShown() {
      this.socket.send(JSON.stringify([document.hidden ? "hidden" : "shown"]));
    }

    open() {
      if (this.asleep) return;
      // One at a time: a try that was put off may come when the page was shown again, and has a socket already.
      clearTimeout(this.opening);
      const before = this.socket;
      this.socket = null;
      if (before) before.close();
      // Each time: a person who travels takes the page along.
      this.url.searchParams.set("zone", zone());
      const asked = this.url.href;
      const socket = this.socket = new Native(asked);
      socket.binaryType = "arraybuffer";
      this.live = false;
      socket.addEventListener("open", () => {
        if (socket !== this.socket) return;
        if (!this.ever) { this.ever = true; this.dispatchEvent(new Event("open")); }
      });
      socket.addEventListener("message", (event) => {
        if (socket !== this.socket) return;
        if (!this.live) {
          // Only now a process has the page: before, the server may have no place for it, and keys would be lost.
          this.live = true;
          this.failures = 0;
          this.found();
          // The window may have got another size since the connection was asked for with that of before.
          if (this.resized && this.url.href !== asked) socket.send(this.resized);
          this.waiting.splice(0).forEach((message) => socket.send(message));
          if (document.hidden) this.tellWhetherShown();
        }
        this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      });
      socket.addEventListener("close", (event) => {
        if (socket !== this.socket) return;
        this.live = false;
        if (isSigningOut || this.asleep) return;
        if (event.code === SIGN_IN_AGAIN) { location.href = "/sign-in?ended=true"; return; }
        if (event.code === ENDED) { location.href = "/sign-in"; return; }
        const isFull = event.code === TOO_MANY_PAGES;
        const hasFailed = event.code === FAILED;
        this.reason = isFull ? event.reason : hasFailed ? `${event.reason || HAS_FAILED} The page is opened again in 5 s.` : "";
        this.lost();
        const pause = isFull || hasFailed ? LONG_PAUSE_MS : PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)];
        this.failures += 1;
        clearTimeout(this.opening);
        this.opening = setTimeout(() => this.open(), pause);
      });
    }

    send(message) {
      const [kind, value] = JSON.parse(message);
      if (kind === "resize") {
        this.url.searchParams.set("width", value.width);
        this.url.searchParams.set("height", value.height);
        this.resized = message;
      }
      if (kind === "stdin" && !this.live) {
        if (this.waiting.length < MOST_WAITING) this.waiting.push(message);
      }
      else if (this.socket.readyState === Native.OPEN) this.socket.send(message);
    }
  };
})();
