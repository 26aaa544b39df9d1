extension Assets {
    static let style = """
        :root {
          color-scheme: light dark;
          --paper: #faf9f6; --sheet: #ffffff; --ink: #1d2421; --soft: #5a655f; --line: #dcdfd9;
          --accent: #0f6b5c; --on-accent: #ffffff; --good: #e3f1ec; --bad: #fbe6e2; --bad-ink: #8d2315;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #141816; --sheet: #1d2320; --ink: #e8ece9; --soft: #a3aea8; --line: #333c37;
            --accent: #5fc7b1; --on-accent: #0b1a16; --good: #1b3a32; --bad: #45211b; --bad-ink: #ffb8aa;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); min-height: 100vh; display: flex;
          flex-direction: column;
          font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        a { color: var(--accent); text-underline-offset: .18em; }
        h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; letter-spacing: -.015em; margin: .4rem 0 1rem;
          text-wrap: balance; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
        .skip { position: absolute; left: -999px; }
        .skip:focus { left: .5rem; top: .5rem; background: var(--sheet); padding: .5rem 1rem; z-index: 2; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        .bar, main { width: min(72rem, 100%); margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2rem); }
        main { flex: 1; padding-top: 1rem; padding-bottom: 3rem; }

        .head { background: var(--sheet); border-bottom: 1px solid var(--line); }
        .head .bar { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.4rem; padding-top: .7rem;
          padding-bottom: .7rem; }
        .brand { font-weight: 750; font-size: 1.15rem; letter-spacing: -.02em; color: var(--ink);
          text-decoration: none; }
        .head nav { display: flex; gap: .2rem; }
        .head nav a { padding: .35rem .7rem; border-radius: 99px; color: var(--soft); text-decoration: none; }
        .head nav a:hover { color: var(--ink); }
        .head nav a[aria-current] { background: var(--good); color: var(--ink); font-weight: 600; }
        .account { margin-left: auto; display: flex; align-items: center; gap: .7rem; }
        .account form { margin: 0; }
        .who { color: var(--soft); max-width: 14ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

        button, .button { font: inherit; font-weight: 600; display: inline-block; cursor: pointer;
          text-decoration: none; text-align: center;
          background: var(--accent); color: var(--on-accent); border: 1px solid var(--accent); border-radius: .6rem;
            padding: .45rem 1rem; }
        button:hover, .button:hover { filter: brightness(1.08); }
        button:disabled { opacity: .55; cursor: progress; }
        .big { padding: .7rem 1.4rem; font-size: 1.05rem; }
        .plain, button[aria-pressed="true"] { background: transparent; color: var(--accent);
          border-color: var(--line); }

        .notice { margin: 0 0 1rem; padding: .7rem 1rem; border-radius: .6rem; background: var(--good); }
        .notice:empty { display: none; }
        .notice.bad { background: var(--bad); color: var(--bad-ink); }
        .notice.bad::before { content: "⚠ "; }

        .search { display: flex; gap: .5rem; margin-bottom: .9rem; }
        .search input { flex: 1; min-width: 0; }
        input, textarea, select { font: inherit; color: inherit; background: var(--sheet); width: 100%;
          border: 1px solid var(--line); border-radius: .6rem; padding: .55rem .8rem; }
        [aria-invalid] { border-color: var(--bad-ink); }
        .field-error { color: var(--bad-ink); margin: .1rem 0 .4rem; font-size: .92rem; }
        .stack { display: grid; gap: .35rem; }
        .stack label { font-weight: 600; margin-top: .5rem; }
        .stack button { justify-self: start; margin-top: .8rem; }
        .narrow { max-width: 32rem; margin: 0 auto; }

        .chips { display: flex; gap: .35rem; overflow-x: auto; padding: 3px 3px .4rem; margin: 0 -3px; }
        .chips a { white-space: nowrap; padding: .25rem .8rem; border: 1px solid var(--line); border-radius: 99px;
          color: var(--soft); text-decoration: none; font-size: .93rem; }
        .chips a[aria-current] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
        .count, .small, .foot, .trail { color: var(--soft); font-size: .92rem; }

        .trail { margin-bottom: .8rem; }
        .grid { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.1rem;
          grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); }
        .card { display: grid; gap: .15rem; color: inherit; text-decoration: none; height: 100%; align-content: start;
          background: var(--sheet); border: 1px solid var(--line); border-radius: .9rem; padding: .6rem .6rem .8rem; }
        .card:hover { border-color: var(--accent); }
        .card .name { font-weight: 600; line-height: 1.35; margin-top: .45rem; }
        .price { font-variant-numeric: tabular-nums; color: var(--soft); }
        .product .price { font-size: 1.35rem; color: var(--ink); margin: 0 0 1rem; }
        .tile { display: grid; place-items: center; aspect-ratio: 4 / 3; border-radius: .6rem; font-weight: 700;
          font-size: 1.7rem;
          letter-spacing: .04em; color: #1d2421; }
        .tile.large { font-size: 4rem; aspect-ratio: 1; }
        .tone-0 { background: #cfe3da; } .tone-1 { background: #f0d9c3; } .tone-2 { background: #d3dbee; }
        .tone-3 { background: #efd3d8; }
        .tone-4 { background: #e4e2bf; } .tone-5 { background: #dcd1e8; } .tone-6 { background: #c9e2ea; }
        .tone-7 { background: #e6d8d0; }
        @media (prefers-color-scheme: dark) { .tile { filter: brightness(.82) saturate(.9); } }
        .product { display: grid; gap: clamp(1rem, 4vw, 2.5rem);
          grid-template-columns: minmax(0, 24rem) minmax(0, 1fr); align-items: start; }

        .rows { list-style: none; margin: 0; padding: 0; }
        .rows li { display: grid; grid-template-columns: 4.2rem minmax(0, 1fr) auto; gap: 1rem; align-items: center;
          padding: .8rem 0; border-bottom: 1px solid var(--line); }
        .rows .tile { font-size: 1.1rem; }
        .rows .name { font-weight: 600; }
        .rows p { margin: .1rem 0 0; }
        .rows form { margin: 0; }
        .rows.posts li { grid-template-columns: minmax(0, 1fr); }
        .title-row { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .5rem; }
        .post .text { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 40rem; margin: 1rem 0 1.5rem; }
        .post h1, .rows .name { overflow-wrap: anywhere; }
        .empty { padding: 1rem 0; color: var(--soft); }
        .code { font-size: 3rem; font-weight: 750; color: var(--soft); margin: 1rem 0 0; }
        .pager { display: flex; justify-content: space-between; align-items: center; gap: 1rem; margin-top: 1.6rem;
          color: var(--soft); }

        .foot { border-top: 1px solid var(--line); padding: 1.2rem 0 1.6rem; }
        .report { max-width: 32rem; }
        .report summary { display: inline-block; cursor: pointer; font-weight: 600; color: var(--accent);
          padding: .4rem .9rem;
          border: 1px solid var(--line); border-radius: .6rem; }
        .report form { color: var(--ink); padding: .6rem 0; font-size: 1rem; }

        @media (max-width: 40rem) {
          .product { grid-template-columns: 1fr; }
          .tile.large { aspect-ratio: 5 / 3; }
          .grid { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .7rem; }
          .head nav { order: 3; width: 100%; justify-content: space-between; }
          .rows li { grid-template-columns: 3.4rem minmax(0, 1fr); }
          .rows li form { grid-column: 2; }
        }
        @media (prefers-reduced-motion: no-preference) { .card, button, .button { transition: filter .12s,
          border-color .12s; } }
        @media print { .head nav, .account, .foot, form { display: none; } }

        """
}
