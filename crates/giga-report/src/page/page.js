'use strict';
(() => {
  const root = document.documentElement;
  const tip = document.getElementById('tip');
  const theme = document.getElementById('theme');
  const all = (what, where = document) => [...where.querySelectorAll(what)];

  // Light or dark, as chosen here; a page that may not keep it forgets it.
  const kept = { get: () => { try { return localStorage.getItem('giga-theme'); } catch { return null; } },
    set: (value) => { try { localStorage.setItem('giga-theme', value); } catch { /* not kept */ } } };
  const dark = matchMedia('(prefers-color-scheme: dark)');
  if (kept.get()) root.dataset.theme = kept.get();
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const now = root.dataset.theme || (dark.matches ? 'dark' : 'light');
    root.dataset.theme = now === 'dark' ? 'light' : 'dark';
    kept.set(root.dataset.theme);
  });

  // What a mark says, beside it and inside the window.
  const say = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = x + 14 + width > innerWidth - 8 ? x - 14 - width : x + 14;
    const top = y + 14 + height > innerHeight - 8 ? y - 14 - height : y + 14;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    tip.style.top = `${Math.max(8, top)}px`;
  };
  let leave = () => {};
  const hush = () => { tip.hidden = true; leave(); leave = () => {}; };
  const point = (event) => {
    if (event.target.closest('[data-step]')) return;
    const mark = event.target.closest('[data-tip]');
    if (mark) { hush(); say(mark.dataset.tip, event.clientX, event.clientY); } else hush();
  };
  document.addEventListener('pointermove', point);
  document.addEventListener('pointerdown', point);
  document.addEventListener('scroll', hush, { passive: true });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hush(); });

  // Arrow keys, Home and End go through what can be pointed at.
  const walk = (box, count, show) => {
    let at = -1;
    box.addEventListener('keydown', (event) => {
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[event.key];
      if (to === undefined || event.target !== box) return;
      event.preventDefault();
      at = Math.max(0, Math.min(to, count - 1));
      hush();
      show(at);
    });
    box.addEventListener('blur', () => { at = -1; hush(); });
  };
  for (const box of all('[data-marks]')) {
    const marks = all('[data-tip]', box);
    walk(box, marks.length, (at) => {
      const { left, width, top, height } = marks[at].getBoundingClientRect();
      marks[at].classList.add('at');
      leave = () => marks[at].classList.remove('at');
      say(marks[at].dataset.tip, left + width / 2, top + height / 2);
    });
  }

  // Curves: the values of the step that is pointed at.
  for (const chart of all('[data-step]')) {
    const [begin, end, step] = ['begin', 'end', 'step'].map((key) => Number(chart.dataset[key]));
    const series = all('[data-values]', chart).map((one) => [one.dataset.name, one.dataset.values.split(' ')]);
    const cursor = chart.querySelector('.cursor');
    const count = series.length ? series[0][1].length : 0;
    const date = (at) => new Date(at).toISOString().replace('T', ' ').replace(/(:00)?\.000Z$|Z$/, '');
    const show = (at, y) => {
      const from = begin + at * step;
      const to = Math.min(from + step, end);
      const along = ((from + to) / 2 - begin) / Math.max(1, end - begin);
      cursor.setAttribute('x1', `${along * 100}%`);
      cursor.setAttribute('x2', `${along * 100}%`);
      cursor.setAttribute('visibility', 'visible');
      leave = () => cursor.setAttribute('visibility', 'hidden');
      const box = chart.getBoundingClientRect();
      const lines = series.map(([name, values]) => `${name} ${values[at]} ${chart.dataset.unit}`);
      say([`${date(from)} to ${date(to)} UTC`, ...lines].join('\n'), box.left + along * box.width, y);
    };
    const follow = (event) => {
      const box = chart.getBoundingClientRect();
      const at = Math.floor((event.clientX - box.left) / box.width * (end - begin) / step);
      hush();
      if (count > 0) show(Math.max(0, Math.min(at, count - 1)), event.clientY);
    };
    chart.addEventListener('pointermove', follow);
    chart.addEventListener('pointerdown', follow);
    chart.addEventListener('pointerleave', hush);
    walk(chart, count, (at) => { const box = chart.getBoundingClientRect(); show(at, box.top + box.height / 3); });
  }

  // Tables are sorted by the column whose head is pressed; rows that head a part stay where they are, so such a table is not.
  for (const table of all('table')) {
    const body = table.tBodies[0];
    if (body.querySelector('th') || body.rows.length < 3) continue;
    const heads = all('thead th', table);
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === 'descending';
        heads.forEach((other) => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', down ? 'ascending' : 'descending');
        const key = (row) => row.cells[column].dataset.order ?? row.cells[column].textContent;
        const order = (one, two) => {
          const [a, b] = [Number(key(one)), Number(key(two))];
          return Number.isNaN(a) || Number.isNaN(b) ? key(one).localeCompare(key(two)) : a - b;
        };
        body.append(...[...body.rows].sort((one, two) => (down ? order(one, two) : order(two, one))));
      });
    });
  }
})();
