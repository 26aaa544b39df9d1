extension AccountPages {
    static let template = """
        <h1>Settings</h1>
        <p class="lead">You are {{name}}, with the role {{role}}.</p>
        {{#newToken}}<section class="card secret" aria-labelledby="new-token"><h2 id="new-token">Your new token</h2><p>Copy it now: it is not shown again.</p><pre>{{newToken}}</pre></section>{{/newToken}}
        <section aria-labelledby="password-title"><h2 id="password-title">Password</h2>
        <form method="post" action="/account/password" class="card stack">{{>csrf}}
        <div><label for="present">Present password</label><input id="present" name="present" type="password" autocomplete="current-password" required maxlength="200"></div>
        <div><label for="new">New password, at least {{minimum}} characters</label><input id="new" name="password" type="password" autocomplete="new-password" required minlength="{{minimum}}" maxlength="200"></div>
        <div><label for="again">New password again</label><input id="again" name="again" type="password" autocomplete="new-password" required minlength="{{minimum}}" maxlength="200"></div>
        <p class="quiet">All your other sessions end.</p>
        <button class="primary">Change password</button></form></section>
        {{#isAdmin}}
        <section aria-labelledby="tokens-title"><h2 id="tokens-title">Tokens</h2>
        {{^hasTokens}}<p class="empty">There is no token in force.</p>{{/hasTokens}}
        {{#hasTokens}}<div class="scroll" tabindex="0" role="region" aria-label="Tokens"><table class="list"><thead><tr><th scope="col">Name</th><th scope="col">Account</th><th scope="col">May</th><th scope="col">Made</th><th scope="col">Digest</th><th scope="col"><span class="hidden">Act</span></th></tr></thead>
        <tbody>{{#tokens}}<tr><th scope="row">{{name}}</th><td>{{account}}</td><td>{{scopes}}</td><td>{{#at}}{{>time}}{{/at}}</td><td><code>{{short}}</code></td><td><form method="post" action="/account/tokens/revoke">{{>csrf}}<input type="hidden" name="digest" value="{{digest}}"><button class="small">Revoke<span class="hidden"> {{name}}</span></button></form></td></tr>{{/tokens}}</tbody></table></div>{{/hasTokens}}
        <details id="new-token-form"><summary class="button">{{>icon-key}}Make a token</summary><form method="post" action="/account/tokens" class="card stack">{{>csrf}}
        <div><label for="token-name">Name</label><input id="token-name" name="name" required maxlength="100" autocomplete="off" placeholder="storefront"></div>
        <div><label for="token-account">Account it acts for</label><input id="token-account" name="account" maxlength="64" autocomplete="off" value="{{name}}"></div>
        <fieldset><legend>What it may do</legend>{{#scopes}}<label class="tick"><input type="checkbox" name="scope" value="{{scope}}"> <strong>{{scope}}</strong> {{words}}</label>{{/scopes}}</fieldset>
        <button class="primary">Make it</button></form></details></section>
        <section aria-labelledby="accounts-title"><h2 id="accounts-title">Accounts</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="Accounts"><table class="list"><thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">State</th><th scope="col">Made</th><th scope="col"><span class="hidden">Act</span></th></tr></thead>
        <tbody>{{#accounts}}<tr><th scope="row">{{name}}</th><td>{{role}}</td><td>{{#badge}}{{>badge}}{{/badge}}</td><td>{{#at}}{{>time}}{{/at}}</td><td>{{^isOwn}}<form method="post" action="/account/accounts/state">{{>csrf}}<input type="hidden" name="name" value="{{name}}"><input type="hidden" name="disabled" value="{{disable}}"><button class="small">{{word}}<span class="hidden"> {{name}}</span></button></form>{{/isOwn}}{{#isOwn}}<span class="quiet">you</span>{{/isOwn}}</td></tr>{{/accounts}}</tbody></table></div>
        <details id="new-account-form"><summary class="button">{{>icon-person}}Make an account</summary><form method="post" action="/account/accounts" class="card stack">{{>csrf}}
        <div><label for="account-name">Name</label><input id="account-name" name="name" required maxlength="64" autocomplete="off"></div>
        <div><label for="role">Role</label><select id="role" name="role">{{#roles}}<option>{{role}}</option>{{/roles}}</select></div>
        <div><label for="account-password">First password, at least {{minimum}} characters</label><input id="account-password" name="password" type="password" autocomplete="new-password" required minlength="{{minimum}}" maxlength="200"></div>
        <button class="primary">Make it</button></form></details></section>
        {{/isAdmin}}
        """
}
