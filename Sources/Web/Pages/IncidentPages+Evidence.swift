import Decide
import Explain
import Record

extension IncidentPages {
    /// The controlled trials side by side, and the journey that failed.
    static func evidence(_ view: IncidentView) -> Fields {
        let trials = view.trials.map(trial)
        return [
            "trials": trials, "hasTrials": !trials.isEmpty,
            "failed": view.evidence.map { alert in
                [
                    "check": alert.id, "href": Links.check(alert.id), "at": Words.time(alert.since),
                    "forced": alert.forced.isEmpty
                        ? nil
                        : alert.forced.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(
                            separator: ", "),
                    "steps": alert.steps.map(step),
                ] as Fields
            },
        ]
    }

    private static func trial(_ trial: IncidentView.Trial) -> Fields {
        let experiment = trial.experiment
        let badge: Fields =
            switch experiment.verdict {
            case .proven: Words.badge(.ill, "flask", "Proof")
            case .cleared: Words.badge(.well, "flask", "Cleared")
            case .noDifference: Words.badge(.calm, "flask", "No difference")
            case nil where experiment.endedAt == nil: Words.badge(.info, "wait", "Running now")
            case nil: Words.badge(.warn, "unknown", "No answer")
            }
        return [
            "change": trial.change, "badge": badge, "words": experiment.verdictWords, "check": experiment.check,
            "oldVariant": experiment.oldVariant, "newVariant": experiment.newVariant,
            "old": leg(experiment.old), "new": leg(experiment.new),
            "rows": rows(experiment),
        ]
    }

    private static func leg(_ result: CheckResult?) -> Fields {
        guard let result else { return ["badge": Words.badge(.calm, "wait", "no answer yet"), "took": nil] }
        let badge = result.passed ? Words.badge(.well, "ok", "passed") : Words.badge(.ill, "ill", "failed")
        return ["badge": badge, "took": result.took.spoken]
    }

    /// Steps of both legs on one line each, matched by name; a leg that stopped earlier leaves its cell empty.
    private static func rows(_ experiment: Incident.Experiment) -> [Fields] {
        let (old, new) = (experiment.old?.steps ?? [], experiment.new?.steps ?? [])
        var names = old.map(\.name)
        for step in new where !names.contains(step.name) { names.append(step.name) }
        return names.map { name in
            [
                "name": name, "old": old.first { $0.name == name }.map(step) ?? missing,
                "new": new.first { $0.name == name }.map(step) ?? missing,
            ]
        }
    }

    private static var missing: Fields {
        [
            "isMissing": true, "name": "", "did": "", "took": "", "failure": nil, "tone": "calm", "icon": "icon-wait",
            "attempts": nil,
        ]
    }

    private static func step(_ step: StepResult) -> Fields {
        [
            "isMissing": false, "name": step.name, "did": step.did, "took": step.took.spoken, "failure": step.failure,
            "tone": step.failure == nil ? "well" : "ill", "icon": step.failure == nil ? "icon-ok" : "icon-ill",
            "attempts": step.attempts > 1 ? "\(step.attempts) attempts" : nil,
        ]
    }

    static let evidenceTemplate = """
        {{#hasTrials}}<section aria-labelledby="experiment"><h2 id="experiment">The experiment</h2>
        {{#trials}}<article class="card"><header>{{#badge}}{{>badge}}{{/badge}}<h3>{{change}}</h3></header>
        <p>The same journey, <code>{{check}}</code>, at the same time, with one difference. Result: {{words}}.</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Both legs of the experiment"><table class="legs" role="table">
        <thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Step</th>
        <th scope="col" role="columnheader"><span class="leg">Before: <code>{{oldVariant}}</code></span>{{#old}}{{#badge}}{{>badge}}{{/badge}}{{#took}}<span class="quiet"> {{took}}</span>{{/took}}{{/old}}</th>
        <th scope="col" role="columnheader"><span class="leg">After: <code>{{newVariant}}</code></span>{{#new}}{{#badge}}{{>badge}}{{/badge}}{{#took}}<span class="quiet"> {{took}}</span>{{/took}}{{/new}}</th></tr></thead>
        <tbody role="rowgroup">{{#rows}}<tr role="row"><th scope="row" role="rowheader">{{name}}</th>
        {{#old}}<td role="cell" class="{{tone}}">{{#isMissing}}<span class="quiet">not reached</span>{{/isMissing}}{{^isMissing}}<span class="mark">{{>*icon}}</span><code>{{did}}</code>{{#failure}}<p class="why">{{failure}}</p>{{/failure}}{{/isMissing}}</td>{{/old}}
        {{#new}}<td role="cell" class="{{tone}}">{{#isMissing}}<span class="quiet">not reached</span>{{/isMissing}}{{^isMissing}}<span class="mark">{{>*icon}}</span><code>{{did}}</code>{{#failure}}<p class="why">{{failure}}</p>{{/failure}}{{/isMissing}}</td>{{/new}}</tr>
        {{/rows}}</tbody></table></div></article>{{/trials}}
        </section>{{/hasTrials}}
        {{#failed}}<section aria-labelledby="journey"><h2 id="journey">What failed</h2>
        <p><a href="{{href}}">{{check}}</a> at {{#at}}{{>time}}{{/at}}{{#forced}}, with <code>{{forced}}</code>{{/forced}}</p>
        <ol class="steps">{{#steps}}<li class="{{tone}}"><span class="mark">{{>*icon}}</span><div><strong>{{name}}</strong> <code>{{did}}</code> <span class="quiet">{{took}}{{#attempts}} · {{attempts}}{{/attempts}}</span>{{#failure}}<p class="why">{{failure}}</p>{{/failure}}</div></li>{{/steps}}</ol>
        </section>{{/failed}}
        """
}
