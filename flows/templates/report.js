// Sorting and filtering. Everything is on the page without this; nothing here writes HTML.
(() => {
  'use strict';
  const make = (tag, props) => Object.assign(document.createElement(tag), props);
  const read = (cell, counted) => {
    const text = (cell.dataset.v ?? cell.textContent).trim();
    if (!counted) return text.toLocaleLowerCase();
    const number = parseFloat(text.replace(/[,<>]/g, ''));
    return Number.isNaN(number) ? null : number + (text[0] === '<' ? -1e-3 : text[0] === '>' ? 1e-3 : 0);
  };
  for (const pool of document.querySelectorAll('.pool')) {
    const tables = [...pool.querySelectorAll('table')];
    const bodies = tables.map(table => table.tBodies[0]);
    const original = bodies.flatMap(body => [...body.rows]);
    const room = bodies[0].rows.length;
    const fold = pool.querySelector('details');
    let rows = original, wanted = '', status = null;

    const lay = () => {
      const found = rows.filter(row => !wanted || row.textContent.toLocaleLowerCase().includes(wanted));
      const missed = new Set(rows);
      found.forEach(row => missed.delete(row));
      for (const row of found) row.hidden = false;
      for (const row of missed) row.hidden = true;
      bodies[0].replaceChildren(...found.slice(0, room));
      (bodies[1] ?? bodies[0]).append(...found.slice(room), ...missed);
      const rest = Math.max(found.length - room, 0);
      if (fold) {
        fold.hidden = rest === 0;
        fold.firstElementChild.textContent = `The other ${rest.toLocaleString('en-GB')} ${rest === 1 ? pool.dataset.one : pool.dataset.many}`;
      }
      if (status) status.textContent = wanted ? `${found.length.toLocaleString('en-GB')} of ${rows.length.toLocaleString('en-GB')}` : '';
    };

    const heads = tables.map(table => [...table.tHead.rows[0].cells]);
    heads.forEach(cells => cells.forEach((cell, column) => {
      const button = make('button', {type: 'button'});
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener('click', () => {
        const counted = cell.classList.contains('n');
        const was = cell.getAttribute('aria-sort');
        const down = was ? was === 'ascending' : counted;
        const keyed = original.map(row => [read(row.cells[column], counted), row]);
        keyed.sort(([a], [b]) => a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * (down ? -1 : 1));
        rows = keyed.map(([, row]) => row);
        for (const row of heads) row.forEach(head => head.removeAttribute('aria-sort'));
        for (const row of heads) row[column].setAttribute('aria-sort', down ? 'descending' : 'ascending');
        lay();
      });
    }));

    if (pool.dataset.many) {
      const label = make('label', {className: 'filter', textContent: `Find ${pool.dataset.many} `});
      const field = make('input', {type: 'search', autocomplete: 'off', spellcheck: false});
      status = make('span', {className: 'found'});
      status.setAttribute('role', 'status');
      label.append(field);
      const line = make('p', {className: 'filters'});
      line.append(label, status);
      pool.prepend(line);
      field.addEventListener('input', () => { wanted = field.value.trim().toLocaleLowerCase(); lay(); });
    }
  }
  // A reason that covers what one wants to read goes away by Escape.
  addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    document.body.classList.add('no-tips');
    addEventListener('focusin', () => document.body.classList.remove('no-tips'), {once: true});
    addEventListener('pointermove', () => document.body.classList.remove('no-tips'), {once: true});
  });
})();
