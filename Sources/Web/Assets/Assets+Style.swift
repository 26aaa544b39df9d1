extension Assets {
    /// Colours, type and the frame.
    static let baseStyle = """
        :root {
          color-scheme: light dark;
          --ground: #f7f7f5; --paper: #ffffff; --sunk: #f1f1ee; --line: #e3e3de; --edge: #cfcfc8;
          --ink: #1b1d20; --soft: #5b6067; --accent: #2447b5; --on-accent: #ffffff;
          --well: #17693f; --well-ground: #e7f4ec; --well-bar: #7fc29b;
          --ill: #b3261e; --ill-ground: #fdecea; --ill-bar: #d5392f;
          --warn: #855300; --warn-ground: #fdf2dc; --info: #2447b5; --info-ground: #e9eefc;
          --calm: #5b6067; --calm-ground: #ededea; --silent: #b9b9b2; --change: #6a4bc4;
          --shadow: 0 1px 2px rgb(20 22 25 / 6%);
          --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
          --mono: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
          --space: 1.5rem;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #101214; --paper: #181b1e; --sunk: #1f2326; --line: #2a2f33; --edge: #3c4348;
            --ink: #e9ebed; --soft: #9fa6ad; --accent: #9db4ff; --on-accent: #0e1530;
            --well: #6fd19a; --well-ground: #14291e; --well-bar: #3d8a5f;
            --ill: #ff8d82; --ill-ground: #35191a; --ill-bar: #f0604f;
            --warn: #eab65a; --warn-ground: #302410; --info: #9db4ff; --info-ground: #1a2342;
            --calm: #a7adb3; --calm-ground: #25292d; --silent: #474d52; --change: #b7a1ff;
            --shadow: none;
          }
        }
        *, *::before, *::after { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 4.5rem; }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 400 0.9375rem/1.55 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
        h1, h2, h3, p, ol, ul, dl, dd, figure, blockquote, pre, fieldset { margin: 0; padding: 0; }
        ol, ul { list-style: none; }
        h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; text-wrap: balance; }
        h2 { font-size: 1.0625rem; line-height: 1.35; font-weight: 620; letter-spacing: -0.005em; }
        :where(main) h2 + :where(*) { margin-top: 0.75rem; }
        :where(main) p + .scroll { margin-top: 0.75rem; }
        .head > h2 + *, .stack > h2 + *, .card > header > h2 + * { margin-top: 0; }
        p + .why { margin-top: 0.25rem; }
        .scroll + details, .empty + details { margin-top: 0.75rem; }
        h3 { font-size: 0.9375rem; line-height: 1.4; font-weight: 620; }
        a { color: var(--accent); text-decoration: none; }
        a:hover { text-decoration: underline; text-underline-offset: 0.18em; }
        code, pre { font-family: var(--mono); font-size: 0.86em; }
        code { overflow-wrap: anywhere; }
        pre { background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; padding: 0.75rem 1rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
        main:focus { outline: none; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .skip { position: absolute; left: 1rem; top: -4rem; z-index: 20; background: var(--accent); color: var(--on-accent); padding: 0.5rem 1rem; border-radius: 0 0 8px 8px; }
        .skip:focus { top: 0; }
        .icon { width: 1em; height: 1em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; vertical-align: -0.125em; }
        .quiet, .by { color: var(--soft); }
        .by { font-size: 0.8125rem; }
        .by a { color: inherit; }
        .lead { font-size: 1.0625rem; color: var(--soft); max-width: 46rem; margin-top: 0.375rem; text-wrap: pretty; }

        .top { position: sticky; top: 0; z-index: 10; background: color-mix(in srgb, var(--ground) 88%, transparent); backdrop-filter: saturate(1.4) blur(10px); border-bottom: 1px solid var(--line); }
        .bar { max-width: 74rem; margin: 0 auto; padding: 0 1.5rem; min-height: 3.25rem; display: flex; align-items: center; gap: 0.25rem 1.5rem; }
        .brand { display: inline-flex; align-items: center; gap: 0.5rem; color: var(--ink); font-weight: 680; letter-spacing: -0.01em; }
        .brand:hover { text-decoration: none; }
        .brand .icon { width: 1.25rem; height: 1.25rem; color: var(--accent); }
        .top nav { display: flex; gap: 0.125rem; overflow-x: auto; scrollbar-width: none; flex: 1; align-self: stretch; }
        .top nav a { display: inline-flex; align-items: center; gap: 0.375rem; padding: 0 0.625rem; color: var(--soft); white-space: nowrap; border-bottom: 2px solid transparent; border-top: 2px solid transparent; }
        .top nav a:hover { color: var(--ink); text-decoration: none; }
        .top nav a[aria-current] { color: var(--ink); font-weight: 560; border-bottom-color: var(--accent); }
        .top nav a:focus-visible { outline-offset: -3px; }
        .count { background: var(--ill); color: var(--paper); border-radius: 99px; font-size: 0.6875rem; font-weight: 700; line-height: 1.125rem; min-width: 1.125rem; padding: 0 0.3125rem; text-align: center; }
        .who { display: flex; align-items: center; gap: 0.875rem; white-space: nowrap; font-size: 0.875rem; }
        .who a, .who button.plain { color: var(--soft); display: inline-flex; gap: 0.375rem; align-items: center; }
        .who a:hover, .who button.plain:hover { color: var(--ink); }
        .live { display: inline-flex; align-items: center; gap: 0.375rem; color: var(--soft); font-size: 0.8125rem; }
        .live[hidden] { display: none; }
        .live::before { content: ""; width: 0.5rem; height: 0.5rem; border-radius: 50%; background: var(--well); }
        .live[data-state="off"]::before { background: transparent; border: 2px solid var(--warn); }
        main { max-width: 74rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; display: block; }
        .foot { max-width: 74rem; margin: 0 auto; padding: 0 1.5rem 2.5rem; color: var(--soft); font-size: 0.8125rem; }
        .foot p { border-top: 1px solid var(--line); padding-top: 1.25rem; }
        main > * + *, main > section + section { margin-top: var(--space); }
        main > section:empty, main > section:not(:has(> *)) { margin-top: 0; }
        .crumbs { color: var(--soft); font-size: 0.8125rem; margin-bottom: 0.5rem; }
        .crumbs a { color: inherit; }
        .crumbs + * { margin-top: 0; }
        .head { display: flex; flex-wrap: wrap; align-items: center; gap: 0.375rem 0.75rem; }
        .head > p { flex-basis: 100%; }
        .service > .head > p, section > .head > p { flex-basis: auto; }
        .more { margin-top: 0.75rem; }
        .more a { display: inline-flex; align-items: center; gap: 0.375rem; }
        .empty { color: var(--soft); padding: 1.25rem; border: 1px dashed var(--edge); border-radius: 10px; }
        .notice { display: flex; gap: 0.625rem; align-items: flex-start; padding: 0.75rem 1rem; border-radius: 10px; margin-bottom: 1.25rem; }
        .notice > .icon { margin-top: 0.25rem; }
        .notice ul { list-style: disc; padding-left: 1.1rem; }
        .notice.well { background: var(--well-ground); color: var(--well); }
        .notice.warn { background: var(--warn-ground); color: var(--warn); }

        """

    /// Pieces: badges, buttons, forms, cards, tables, bars.
    static let partStyle = """
        .badge { display: inline-flex; align-items: center; gap: 0.3125rem; padding: 0.0625rem 0.5rem 0.0625rem 0.4375rem; border-radius: 99px; font-size: 0.75rem; font-weight: 560; line-height: 1.375rem; white-space: nowrap; vertical-align: 0.0625rem; }
        .badge.well { background: var(--well-ground); color: var(--well); }
        .badge.ill { background: var(--ill-ground); color: var(--ill); }
        .badge.warn { background: var(--warn-ground); color: var(--warn); }
        .badge.info { background: var(--info-ground); color: var(--info); }
        .badge.calm { background: var(--calm-ground); color: var(--calm); }
        .badges { display: flex; flex-wrap: wrap; gap: 0.375rem; margin-bottom: 0.625rem; }
        .chip { display: inline-flex; align-items: center; gap: 0.3125rem; padding: 0 0.5rem; border: 1px solid var(--line); border-radius: 6px; font-size: 0.8125rem; line-height: 1.5rem; color: var(--soft); }
        .chip.rolling { border-color: var(--info); color: var(--info); }
        .chips { display: flex; flex-wrap: wrap; gap: 0.375rem; }
        .chips a { padding: 0.1875rem 0.75rem; border: 1px solid var(--line); border-radius: 99px; color: var(--soft); font-size: 0.875rem; }
        .chips a[aria-current] { background: var(--ink); border-color: var(--ink); color: var(--paper); }

        button, .button { font: inherit; font-size: 0.875rem; font-weight: 560; line-height: 1.25rem; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 8px; padding: 0.4375rem 0.875rem; min-height: 2.25rem; display: inline-flex; align-items: center; gap: 0.4375rem; cursor: pointer; box-shadow: var(--shadow); text-align: left; }
        button:hover, .button:hover { border-color: var(--soft); text-decoration: none; }
        .primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
        .primary:hover { border-color: var(--accent); filter: brightness(1.08); }
        .strong { border-color: var(--accent); color: var(--accent); }
        .danger { border-color: var(--ill); color: var(--ill); }
        .small { font-size: 0.8125rem; padding: 0.125rem 0.625rem; min-height: 1.75rem; }
        .wide { width: 100%; justify-content: center; min-height: 2.75rem; font-size: 1rem; }
        .plain { background: none; border: none; box-shadow: none; padding: 0; min-height: 0; font-weight: 400; }
        [aria-busy="true"] { opacity: 0.6; }
        label, legend { display: block; font-size: 0.8125rem; font-weight: 560; margin-bottom: 0.25rem; }
        input:not([type="checkbox"]), textarea, select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 8px; padding: 0.4375rem 0.625rem; min-height: 2.25rem; width: 100%; }
        fieldset { border: none; }
        .tick { font-weight: 400; font-size: 0.875rem; padding: 0.1875rem 0; }
        .stack { display: grid; gap: 0.875rem; justify-items: start; max-width: 30rem; }
        .stack > * { width: 100%; }
        .stack > button { width: auto; }
        .forms { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; align-items: start; }
        .forms .stack { max-width: none; }
        details > summary { cursor: pointer; width: fit-content; list-style: none; }
        details > summary::-webkit-details-marker { display: none; }
        details:not(:has(> summary.button)) > summary::before { content: "▸ "; color: var(--soft); }
        details[open]:not(:has(> summary.button)) > summary::before { content: "▾ "; }
        details > form, details > pre { margin-top: 0.75rem; }

        .card, .panel { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.125rem 1.25rem; box-shadow: var(--shadow); }
        .card > header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.375rem 0.75rem; margin-bottom: 0.75rem; }
        .card > header p { flex-basis: 100%; }
        .card + .card { margin-top: 1rem; }
        .side .card > h2 { font-size: 0.9375rem; margin-bottom: 0.625rem; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 0.75rem 1.5rem; }
        .facts dt, .key dt, .plain-facts dt { color: var(--soft); font-size: 0.8125rem; }
        .plain-facts { display: grid; gap: 0; max-width: 46rem; }
        .plain-facts > div { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; padding: 0.5rem 0; border-top: 1px solid var(--line); }
        .plain-facts > div:first-child { border-top: none; }

        .scroll { overflow-x: auto; position: relative; }
        table { border-collapse: collapse; width: 100%; }
        .list { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; border-collapse: separate; border-spacing: 0; box-shadow: var(--shadow); }
        th, td { text-align: left; vertical-align: top; padding: 0.625rem 1rem; font-weight: 400; }
        thead th { color: var(--soft); font-size: 0.8125rem; }
        .list tbody th { font-weight: 560; }
        .list th .quiet, .list th .by { font-weight: 400; }
        td.num { white-space: nowrap; }
        .list tbody tr > * { border-top: 1px solid var(--line); }
        .list tbody:first-child tr:first-child > * { border-top: none; }
        .query { display: block; min-width: 16rem; max-width: 36rem; max-height: 6.5em; overflow: auto; font-weight: 400; white-space: pre-wrap; }
        .list time { white-space: nowrap; }
        .is-default th code { font-weight: 700; }

        .bars, .axis { display: block; overflow: visible; }
        rect.passed { fill: var(--well-bar); } rect.failed { fill: var(--ill-bar); } rect.silent { fill: var(--silent); }
        .bars g:hover rect { filter: brightness(0.88); }
        .when { stroke: var(--change); stroke-width: 1.5; stroke-dasharray: 2 2; }
        .when.undo { stroke-dasharray: 1 3; }
        .base { stroke: var(--line); stroke-width: 1; }
        .diamond { fill: var(--change); stroke: var(--change); stroke-width: 1.5; }
        .diamond.undo { fill: var(--paper); }
        .legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.125rem; font-size: 0.8125rem; margin-top: 0.625rem; }
        .legend span { display: inline-flex; align-items: center; gap: 0.375rem; }

        .timeline > li, .suspects > li { position: relative; display: grid; grid-template-columns: 1.75rem 1fr; gap: 0.75rem; padding-bottom: 1rem; }
        .timeline > li:last-child, .suspects > li:last-child { padding-bottom: 0; }
        .timeline > li:not(:last-child)::before { content: ""; position: absolute; left: 0.84375rem; top: 1.75rem; bottom: 0; width: 1px; background: var(--line); }
        .knot { width: 1.75rem; height: 1.75rem; border-radius: 50%; display: grid; place-items: center; background: var(--calm-ground); color: var(--calm); font-size: 0.875rem; }
        .timeline > .well .knot { background: var(--well-ground); color: var(--well); }
        .timeline > .ill .knot { background: var(--ill-ground); color: var(--ill); }
        .timeline > .warn .knot { background: var(--warn-ground); color: var(--warn); }
        .timeline > .info .knot { background: var(--info-ground); color: var(--info); }
        .timeline p:first-child { padding-top: 0.125rem; }
        .timeline .elapsed { color: var(--ink); font-weight: 560; margin-left: 0.25rem; }
        .timeline .fresh { animation: fresh 2.4s ease-out; }
        @keyframes fresh { from { background: var(--info-ground); box-shadow: 0 0 0 0.375rem var(--info-ground); border-radius: 8px; } }
        .elapsed { font-variant-numeric: tabular-nums; }
        .why { color: var(--ill); }

        """

    /// What only one page has, and narrow screens.
    static let pageStyle = """
        .hero { display: flex; gap: 1rem; align-items: center; padding: 0.25rem 0; }
        .hero ~ .card { margin-top: 1.25rem; } .lead + .card { margin-top: 1rem; }
        .sign { display: grid; place-items: center; width: 3rem; height: 3rem; border-radius: 14px; font-size: 1.5rem; flex: none; background: var(--calm-ground); color: var(--calm); }
        .well > .sign, .well .sign { background: var(--well-ground); color: var(--well); }
        .ill > .sign, .ill .sign { background: var(--ill-ground); color: var(--ill); }
        .warn .sign { background: var(--warn-ground); color: var(--warn); }
        .hero p { color: var(--soft); }
        .incident, .verdict { position: relative; overflow: hidden; --flag: var(--edge); }
        .incident::before, .card.verdict::before { content: ""; position: absolute; inset: 0 auto 0 0; width: 4px; background: var(--flag); }
        .incident.ill, .verdict.ill { --flag: var(--ill-bar); }
        .incident.warn { --flag: var(--warn); }
        .incident.info { --flag: var(--info); }
        .incident.well, .verdict.well { --flag: var(--well); }
        .incident h2 { font-size: 1.125rem; }
        .incident h2 a { color: var(--ink); }
        .service > .panel { margin-top: 0.75rem; padding: 0.5rem 0 0.25rem; }
        .row { display: grid; grid-template-columns: minmax(11rem, 17rem) 1fr 5.5rem; gap: 1.25rem; align-items: center; padding: 0.375rem 1.25rem; }
        .row .name { display: flex; flex-wrap: wrap; align-items: center; gap: 0.125rem 0.5rem; min-width: 0; }
        .row .name a { color: var(--ink); overflow-wrap: anywhere; }
        .row .figure { text-align: right; color: var(--soft); font-size: 0.8125rem; }
        .row .figure.ill { color: var(--ill); font-weight: 560; }
        .row.scale { font-size: 0.8125rem; padding-bottom: 0; }
        .feature { border-top: 1px solid var(--line); padding: 0.75rem 0 0.625rem; }
        .row.scale + .feature { border-top: none; padding-top: 0.25rem; }
        .feature > header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.625rem; padding: 0 1.25rem 0.25rem; }
        .feature > header p { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; font-size: 0.8125rem; }
        .feature .why, .feature .gap { padding: 0 1.25rem 0.375rem; font-size: 0.875rem; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 2rem 3rem; align-items: start; }
        .pair h2 { margin-bottom: 0.875rem; }
        ul.plain > li + li, ol.plain > li + li { margin-top: 0.75rem; }
        .stages { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 0.5rem; }
        .stages li { border-top: 4px solid var(--edge); padding-top: 0.5rem; display: grid; gap: 0.0625rem; font-size: 0.8125rem; color: var(--soft); }
        .stages strong { font-size: 1.0625rem; color: var(--ink); }
        .stages .well { border-color: var(--well); } .stages .ill { border-color: var(--ill-bar); }
        .stages .warn { border-color: var(--warn); } .stages .info { border-color: var(--info); }
        .stages .verdict { display: inline-flex; gap: 0.3125rem; align-items: center; }
        .stages .well .verdict { color: var(--well); } .stages .ill .verdict { color: var(--ill); }
        .head + .stages { margin-top: 0.875rem; }

        .key { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); margin-top: 1.25rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); overflow: hidden; border-top: 3px solid var(--edge); }
        .key.ill { border-top-color: var(--ill-bar); } .key.warn { border-top-color: var(--warn); }
        .key.info { border-top-color: var(--info); } .key.well { border-top-color: var(--well); }
        .key > div { padding: 0.875rem 1.125rem 1rem; }
        .key > div + div { border-left: 1px solid var(--line); }
        .key dd { display: grid; gap: 0.25rem; margin-top: 0.125rem; font-size: 0.8125rem; color: var(--soft); }
        .key strong { font-size: 1.25rem; line-height: 1.3; font-weight: 640; letter-spacing: -0.01em; color: var(--ink); }
        .key strong a { color: inherit; font-size: 1.0625rem; text-decoration: underline; text-decoration-color: var(--edge); text-underline-offset: 0.2em; }
        .key strong.words { font-size: 0.9375rem; font-weight: 560; line-height: 1.45; letter-spacing: 0; }
        .incident-head .lead { max-width: 60rem; }
        .actions { display: flex; flex-wrap: wrap; gap: 0.625rem; align-items: flex-start; margin-top: 1.125rem; }
        .actions details[open] { flex-basis: 100%; order: 1; }
        .actions details > form { display: grid; gap: 0.5rem; justify-items: start; max-width: 34rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.125rem; }
        .actions details ul { list-style: disc; padding-left: 1.1rem; color: var(--ill); }
        .actions > p { align-self: center; }
        .columns { display: grid; grid-template-columns: minmax(0, 1fr) 20rem; gap: 2.5rem; margin-top: 2rem; align-items: start; }
        .story > * + *, .story > div > section + section { margin-top: 2.25rem; }
        .story > :not(:has(> *)) { display: none; }
        .story h2 { margin-bottom: 0.75rem; }
        .side { display: grid; gap: 1rem; }
        .side .card + .card { margin-top: 0; }
        .legs { margin-top: 0.875rem; min-width: 34rem; table-layout: fixed; font-size: 0.875rem; }
        .legs th:first-child { width: 24%; padding-left: 0; }
        .legs thead th { vertical-align: bottom; }
        .legs .leg { display: block; color: var(--ink); font-weight: 560; margin-bottom: 0.25rem; }
        .legs tbody tr > * { border-top: 1px solid var(--line); }
        .legs td { position: relative; padding-left: 2.125rem; }
        td > .mark, .steps .mark, .reasons .mark { color: var(--soft); }
        td > .mark { position: absolute; left: 0.75rem; top: 0.625rem; }
        .well > .mark { color: var(--well); } .ill > .mark { color: var(--ill); }
        .legs td.ill { background: var(--ill-ground); }
        .steps { margin-top: 0.75rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
        .steps li { display: grid; grid-template-columns: 1rem 1fr; gap: 0.75rem; padding: 0.625rem 1rem; }
        .steps li + li { border-top: 1px solid var(--line); }
        .suspects > li { padding-bottom: 1.125rem; }
        .rank { width: 1.75rem; height: 1.75rem; border-radius: 50%; display: grid; place-items: center; background: var(--calm-ground); color: var(--calm); font-weight: 620; font-size: 0.8125rem; }
        .suspects > li:first-child .rank { background: var(--ink); color: var(--paper); }
        .suspects ul { list-style: disc; padding-left: 1.1rem; margin: 0.25rem 0; color: var(--soft); font-size: 0.875rem; }
        .quotes li + li { margin-top: 0.875rem; }
        .quotes blockquote { border-left: 3px solid var(--edge); padding-left: 0.875rem; white-space: pre-line; overflow-wrap: anywhere; }
        .quotes .by { padding-left: 1.0625rem; }
        .moments li { display: grid; grid-template-columns: 1fr auto; gap: 0 0.75rem; padding: 0.4375rem 0; border-top: 1px solid var(--line); }
        .moments li:first-child { border-top: none; padding-top: 0; }
        .moments .elapsed { font-weight: 620; }
        .moments time { grid-column: 1 / -1; color: var(--soft); font-size: 0.8125rem; }
        .proof { font-size: 0.8125rem; color: var(--soft); overflow-wrap: anywhere; }
        .said { white-space: pre-line; overflow-wrap: anywhere; }
        .reasons li { display: grid; grid-template-columns: 1rem 1fr; gap: 0.75rem; padding: 0.3125rem 0; }
        .verdict .notice { margin: 0.875rem 0 0; }
        .chart h2 { font-size: 0.875rem; color: var(--soft); font-weight: 560; margin: 0 0 0.375rem; }
        .chart .ends { display: flex; justify-content: space-between; font-size: 0.8125rem; margin: 0.25rem 0 0; }
        .chart .ends + h2 { margin-top: 1.25rem; }
        .document { max-width: 50rem; }
        .document section { margin-top: 2rem; }
        .document section > * + * { margin-top: 0.75rem; }
        .document ul:not(.tasks) { list-style: disc; padding-left: 1.2rem; }
        .document li + li { margin-top: 0.3125rem; }
        .tasks li { display: grid; grid-template-columns: 1rem 1fr; gap: 0.625rem; }
        .tasks .box { width: 0.875rem; height: 0.875rem; border: 1.5px solid var(--soft); border-radius: 3px; margin-top: 0.3125rem; }
        .secret { border-color: var(--accent); } .secret pre { margin-top: 0.625rem; user-select: all; }
        .gate { max-width: 22rem; margin: 6vh auto 0; }
        .gate .card { margin: 1.25rem 0 1rem; padding: 1.5rem; }
        .gate .stack > button { width: 100%; justify-content: center; min-height: 2.5rem; }
        .bare-card { max-width: 34rem; margin: 6vh auto 0; padding: 1.75rem; }
        .bare-card > * + * { margin-top: 0.875rem; }
        .bare-card h1 { font-size: 1.375rem; display: flex; gap: 0.875rem; align-items: center; }

        @media (max-width: 62rem) {
          .columns { grid-template-columns: minmax(0, 1fr); gap: 2.25rem; }
          .side { grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); align-items: start; }
          .key { grid-template-columns: repeat(2, minmax(0, 1fr)); }
          .key > div:nth-child(odd) { border-left: none; }
          .key > div:nth-child(n + 3) { border-top: 1px solid var(--line); }
        }
        @media (max-width: 44rem) {
          :root { --space: 1.25rem; }
          .bar { flex-wrap: wrap; padding: 0.5rem 1rem 0; }
          .top { position: static; }
          .brand { flex: 1; }
          .top nav { order: 3; flex-basis: 100%; margin: 0 -1rem; padding: 0 0.5rem; min-height: 2.5rem; }
          main { padding: 1.25rem 1rem 3rem; }
          h1 { font-size: 1.5rem; }
          .row { grid-template-columns: 1fr auto; gap: 0.375rem 0.75rem; padding: 0.5rem 1rem; }
          .row .name { grid-column: 1; } .row .figure { grid-column: 2; grid-row: 1; } .row > svg { grid-column: 1 / -1; }
          .row.scale > span:last-child { display: none; }
          .feature > header, .feature .why, .feature .gap { padding-left: 1rem; padding-right: 1rem; }
          .card { padding: 1rem; }
          .key { grid-template-columns: minmax(0, 1fr); }
          .key > div + div { border-left: none; border-top: 1px solid var(--line); }
          .key > div { padding: 0.75rem 1rem; }
          .plain-facts > div { grid-template-columns: 1fr; gap: 0; }
          .actions > form, .actions > form button, .actions > .button { width: 100%; }
          .actions > details { flex: 1 1 40%; } .actions > details > summary { width: 100%; }
          .actions > form button, .actions > .button, .actions > details > summary { justify-content: center; min-height: 2.75rem; }
          .legs { min-width: 0; }
          .legs tr { display: grid; grid-template-columns: 1fr 1fr; }
          .legs thead th:first-child { display: none; }
          .legs tbody th { grid-column: 1 / -1; width: auto !important; padding: 0.5rem 0 0; border-top: 1px solid var(--line); font-weight: 560; }
          .legs tbody td { border-top: none; padding: 0.375rem 0.375rem 0.5rem 1.75rem; }
          .legs thead th { padding: 0 0.375rem 0.5rem; } .legs td > .mark { left: 0.375rem; top: 0.375rem; }
          .pair { grid-template-columns: minmax(0, 1fr); }
          .foot { padding-left: 1rem; padding-right: 1rem; }
        }
        @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
        @media (forced-colors: active) { rect.passed, rect.failed, rect.silent, .diamond { forced-color-adjust: none; } .badge { border: 1px solid; } }

        """

    /// Paper: no chrome, no shadows, everything opened, links told apart by underlining.
    static let printStyle = """
        @media print {
          :root { color-scheme: light; --ground: #fff; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; --shadow: none; }
          .top, .foot, .actions, .forms, .skip, .more .button { display: none; }
          body { font-size: 10pt; }
          main { max-width: none; padding: 0; }
          .columns { grid-template-columns: 1fr; }
          .side { grid-template-columns: 1fr 1fr; }
          a { color: inherit; text-decoration: underline; }
          .card, .panel, .list, .key, .steps, tr, li { break-inside: avoid; }
          h1, h2, h3 { break-after: avoid; }
          .badge { border: 1px solid currentColor; }
          .bars rect, .diamond, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """
}
