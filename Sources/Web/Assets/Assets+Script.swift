extension Assets {
    /// What pages do beyond HTML: times in the reader's zone, ticking durations, and parts that renew themselves.
    /// Without it every page and every form works as well.
    static let appScript = """
        "use strict";
        (() => {
          const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
          const year = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
          const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

          // Times: the reader's zone in the text, UTC on hover.
          const localTimes = root => {
            const now = new Date();
            for (const element of root.querySelectorAll("time[data-form=moment]")) {
              const at = new Date(element.dateTime);
              if (isNaN(at)) continue;
              const sameDay = at.toDateString() === now.toDateString();
              const date = at.getFullYear() === now.getFullYear() ? day : year;
              element.textContent = sameDay ? clock.format(at) : date.format(at) + ", " + clock.format(at);
            }
          };

          // As the server writes them: 4.2 s, 1 min 51 s, 1 h 51 min, 2 d 3 h.
          const spoken = milliseconds => {
            const seconds = Math.max(0, Math.floor(milliseconds / 1000));
            const two = (large, name, small, unit) => small ? `${large} ${name} ${small} ${unit}` : `${large} ${name}`;
            if (seconds < 60) return `${seconds} s`;
            if (seconds < 3600) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
            if (seconds < 86400) return two(Math.floor(seconds / 3600), "h", Math.floor(seconds % 3600 / 60), "min");
            return two(Math.floor(seconds / 86400), "d", Math.floor(seconds % 86400 / 3600), "h");
          };
          const tick = () => {
            for (const element of document.querySelectorAll("[data-since]")) {
              element.textContent = spoken(Date.now() - Number(element.dataset.since));
            }
          };

          // A part is not touched while someone is filling in a form in it.
          const isBusy = part => {
            const active = document.activeElement;
            if (active && part.contains(active) && active.matches("input, textarea, select")) return true;
            return [...part.querySelectorAll("input:not([type=hidden]), textarea")].some(field => field.value !== field.defaultValue);
          };
          const original = new Map();
          const remember = root => {
            for (const part of root.querySelectorAll("[data-live][id]")) original.set(part.id, part.outerHTML);
          };

          const swap = fresh => {
            for (const part of document.querySelectorAll("[data-live][id]")) {
              const next = fresh.getElementById(part.id);
              if (!next || isBusy(part)) continue;
              const html = next.outerHTML;
              if (html === original.get(part.id)) continue;
              original.set(part.id, html);
              const known = new Set([...part.querySelectorAll("[id]")].map(element => element.id));
              const open = [...part.querySelectorAll("details[open][id]")].map(element => element.id);
              const focus = part.contains(document.activeElement) ? document.activeElement.id || document.activeElement.getAttribute("href") : null;
              localTimes(next);
              for (const line of next.querySelectorAll(".timeline > li[id]")) {
                if (known.size && !known.has(line.id)) line.classList.add("fresh");
              }
              part.replaceWith(next);
              for (const id of open) { const details = document.getElementById(id); if (details) details.open = true; }
              if (focus) {
                const again = [...next.querySelectorAll("[id], a[href]")].find(element => element.id === focus || element.getAttribute("href") === focus);
                if (again) again.focus({ preventScroll: true });
              }
            }
            if (fresh.title) document.title = fresh.title;
            tick();
          };

          let running = false, wanted = false;
          const refresh = async () => {
            if (running) { wanted = true; return; }
            running = true;
            try {
              const address = new URL(location.href);
              address.searchParams.delete("done");
              const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
              if (answer.redirected && new URL(answer.url).pathname === "/sign-in") { location.reload(); return; }
              if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
            } catch { /* The connection is down: the sign beside the name says so, and the stream tries again. */ }
            running = false;
            if (wanted) { wanted = false; soon(); }
          };
          let timer = 0;
          const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, 150); };

          const show = (state, words) => {
            const sign = document.getElementById("live");
            if (!sign) return;
            sign.hidden = false;
            sign.dataset.state = state;
            sign.textContent = words;
          };

          const follow = address => {
            const stream = new EventSource(address);
            let wasDown = false;
            stream.onopen = () => { show("on", "Live"); if (wasDown) soon(); wasDown = false; };
            stream.onerror = () => { show("off", "Connecting"); wasDown = true; };
            stream.addEventListener("entry", soon);
            addEventListener("pagehide", () => stream.close());
          };

          remember(document);
          localTimes(document);
          tick();
          setInterval(tick, 1000);
          const { stream, refresh: every } = document.body.dataset;
          if (stream && window.EventSource) follow(stream);
          if (every) setInterval(() => { if (!document.hidden) soon(); }, Number(every) * 1000);
          addEventListener("pageshow", event => { if (event.persisted) location.reload(); });

          // A form is sent once, however often its button is pressed.
          document.addEventListener("submit", event => {
            if (event.target.dataset.sent) { event.preventDefault(); return; }
            event.target.dataset.sent = "yes";
            for (const button of event.target.querySelectorAll("button")) button.setAttribute("aria-busy", "true");
          });

          // What was done is said once, not again at every reload.
          if (new URLSearchParams(location.search).has("done")) {
            const address = new URL(location.href);
            address.searchParams.delete("done");
            history.replaceState(null, "", address);
          }
        })();

        """
}
