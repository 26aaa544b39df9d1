extension Assets {
    /// Makes the pages quicker and does nothing that they cannot do without it.
    static let script = """
        'use strict';
        (() => {
          const notice = document.querySelector('[data-notice]');
          const say = (text, bad) => {
            notice.classList.toggle('bad', Boolean(bad));
            notice.textContent = '';
            requestAnimationFrame(() => { notice.textContent = text; });
          };
          const problemOf = async (response) => {
            try { return (await response.json()).detail || response.statusText; } catch { return response.statusText; }
          };

          for (const form of document.querySelectorAll('form[data-favorite]')) {
            form.addEventListener('submit', async (event) => {
              event.preventDefault();
              const button = form.querySelector('button');
              const action = form.elements.namedItem('action');
              const adding = action.value === 'add';
              button.disabled = true;
              try {
                const response = await fetch('/api/favorites/' + form.dataset.favorite, {
                  method: adding ? 'PUT' : 'DELETE',
                  headers: { 'X-CSRF-Token': form.elements.namedItem('csrf').value },
                });
                if (response.status === 401) {
                  location.assign('/sign-in?back=' + encodeURIComponent(location.pathname));
                  return;
                }
                if (!response.ok) { say(await problemOf(response), true); return; }
                action.value = adding ? 'remove' : 'add';
                button.setAttribute('aria-pressed', String(adding));
                button.textContent = adding ? 'Remove from Favorites' : 'Add to Favorites';
                say(adding ? 'Added to your favorites.' : 'Removed from your favorites.');
              } catch {
                say('The shop could not be reached. Please try again.', true);
              } finally {
                button.disabled = false;
              }
            });
          }

          for (const form of document.querySelectorAll('form[data-report]')) {
            form.addEventListener('submit', async (event) => {
              event.preventDefault();
              const button = form.querySelector('button');
              const answer = form.querySelector('[data-answer]');
              const field = (name) => form.elements.namedItem(name).value;
              button.disabled = true;
              answer.textContent = 'Sending …';
              try {
                const response = await fetch('/api/reports', {
                  method: 'POST',
                  headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': field('csrf') },
                  body: JSON.stringify({ feature: field('feature'), text: field('text'), page: field('page') }),
                });
                if (response.ok) {
                  form.elements.namedItem('text').value = '';
                  answer.textContent = 'Thank you. Your report has arrived.';
                } else {
                  answer.textContent = await problemOf(response);
                }
              } catch {
                answer.textContent = 'Your report could not be sent: the shop could not be reached. Please try again.';
              } finally {
                button.disabled = false;
              }
            });
          }

          const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
          for (const time of document.querySelectorAll('time[datetime]')) {
            const date = new Date(time.dateTime);
            if (!Number.isNaN(date.getTime())) {
              time.title = date.toISOString();
              time.textContent = format.format(date);
            }
          }
        })();

        """
}
