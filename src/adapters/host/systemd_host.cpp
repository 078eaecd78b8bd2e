#include "adapters/host/systemd_host.hpp"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/host/cores.hpp"
#include "adapters/host/time_zone.hpp"
#include "adapters/lines.hpp"
#include "adapters/overlayfs/mounts.hpp"
#include "adapters/overlayfs/shadows.hpp"
#include "adapters/probes/published.hpp"
#include "adapters/since_boot.hpp"
#include "adapters/systemd/drop_ins.hpp"
#include "reconciler/layers.hpp"
#include "reconciler/live.hpp"
#include "specs/name.hpp"
#include "specs/text.hpp"
#include "specs/writable.hpp"

namespace left4me {

namespace {

/// How many actions on files are carried out and then synced to disk together. Servers whose files are synced
/// start while the next batch is rendered.
constexpr std::size_t file_batch = 20;

/// left4me-probe asks each game every few seconds, and publishes what it hears within a fraction of one.
constexpr std::chrono::milliseconds longest_question{6000};
constexpr std::chrono::milliseconds look_for_answer{50};
/// That nobody plays, an answer shows for so long: somebody may have come since it was given.
constexpr std::chrono::milliseconds longest_look{750};
/// A game that hangs is watched for so long before it is restarted: when what held up all games is over, they
/// answer one after another.
constexpr std::chrono::milliseconds last_look_at_hang{60'000};
/// An older answer is not shown: whoever played then need not be there any more.
constexpr std::chrono::seconds longest_shown{15};

/// Work on files, which a thread of ours does; all other effects are systemd's.
bool is_for_store(const Action& action) {
    if (action.verb == Verb::Build) return !action.source || !is_built_by_unit(*action.source);
    return action.verb == Verb::Render || action.verb == Verb::Revert || action.verb == Verb::Unmanage ||
           action.verb == Verb::Prune;
}

std::unexpected<Error> failure(std::string message) {
    return std::unexpected(Error{FailureKind::IOError, std::move(message)});
}

void explain(Outcome& outcome, const Error& error) {
    outcome.reason = error.kind;
    outcome.message = error.message;
}

bool writes(Verb verb) { return verb == Verb::Build || verb == Verb::Render || verb == Verb::Revert; }

/// One action on files, with everything that it needs.
struct FileWork {
    Action action;
    Outcome outcome;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

std::chrono::milliseconds since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
}

/// A server may have been started since the plan was made, and layers must not be removed beneath a mount.
Store::Done prune(Store& store, const Paths& paths, const std::string& digest) {
    const auto mounts = read_mounts(paths);
    if (!mounts) return failure(mounts.error());
    for (const auto& [server, layers] : *mounts) {
        const auto uses = [&](const std::string& layer) { return artifact_path(layer) == digest; };
        if (std::any_of(layers.begin(), layers.end(), uses)) {
            return std::unexpected(
                Error{FailureKind::InUse, "server/" + server + " has been mounted with it meanwhile"});
        }
    }
    return store.prune(digest);
}

Store::Done carry_out(Store& store, const Paths& paths, const FileWork& work) {
    const std::string& name = work.action.subject.name;
    switch (work.action.verb) {
        case Verb::Build:
            if (!work.action.source) return failure("the plan has no source for it");
            return store.build(name, std::get<InlineSource>(*work.action.source), work.action.artifact);
        case Verb::Render:
            if (!work.action.rendering) return failure("the plan has no rendering for it");
            return store.render(*work.action.rendering);
        case Verb::Revert:
            return store.revert(name, work.action.artifact);
        case Verb::Unmanage:
            return store.unmanage(name);
        case Verb::Prune:
            return prune(store, paths, work.action.artifact);
        default:
            return failure(std::string(to_string(work.action.verb)) + " is not a matter of the store");
    }
}

/// Active without a mount, or mounted without being active: so it is when somebody unmounted it, or when it
/// was started or stopped after the units were listed.
bool contradicts_itself(const ObservedServer& server) {
    switch (server.unit.active) {
        case ActiveState::Active:
            return !server.mounted;
        case ActiveState::Inactive:
        case ActiveState::Failed:
            return server.mounted.has_value();
        case ActiveState::Activating:
        case ActiveState::Deactivating:
            return false;
    }
    return false;
}

/// left4me-overlay writes the file: the set's number, the number of entries, and the first of them.
std::string set_aside_text(int state, const std::string& server) {
    const Fd file(::openat(state, ("runtime/" + server + "/set-aside").c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) return {};
    std::array<char, 16384> buffer{};
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got <= 0) return {};
    const auto lines = lines_of({buffer.data(), static_cast<std::size_t>(got)});
    if (lines.size() < 3) return {};
    std::string text = "a start set aside " + std::string(lines[1]) +
                       (lines[1] == "1" ? " entry" : " entries") +
                       " that the game wrote and may not keep, in runtime/" + server + "/removed/" +
                       std::string(lines[0]) + ":";
    constexpr std::size_t shown = 5;
    for (std::size_t i = 2; i < lines.size() && i < 2 + shown; ++i)
        text += (i == 2 ? " " : ", ") + printable(lines[i]);
    return text + (lines.size() > 2 + shown ? ", …" : "");
}

bool does_not_read(const probes::Known& known, std::uint16_t port) {
    const auto socket = known.sockets.find(port);
    return socket != known.sockets.end() && socket->second.unread.has_value();
}

std::vector<Outcome> carry_out(Store& store, const Paths& paths, std::vector<FileWork>& batch) {
    std::vector<Outcome> outcomes;
    bool wrote = false;
    for (FileWork& work : batch) {
        const Store::Done done = carry_out(store, paths, work);
        work.outcome.done = done.has_value();
        if (!done) explain(work.outcome, done.error());
        wrote = wrote || (done && writes(work.action.verb));
    }
    // Nothing may start from files that a power cut could lose.
    const Store::Done synced = wrote ? store.sync() : Store::Done();
    for (FileWork& work : batch) {
        if (!synced && work.outcome.done && writes(work.action.verb)) {
            work.outcome.done = false;
            explain(work.outcome, synced.error());
        }
        work.outcome.took = since(work.begun);
        outcomes.push_back(std::move(work.outcome));
    }
    return outcomes;
}

}  // namespace

SystemdHost::SystemdHost(Paths paths, std::unique_ptr<Units> units,
                         std::optional<std::chrono::milliseconds> timeout)
    : paths_(std::move(paths)),
      units_(std::move(units)),
      store_(paths_, timeout),
      consoles_(paths_, rcon::user_of_games()),
      variables_(paths_, consoles_),
      waits_(!timeout) {}

std::expected<ObservedUnits, std::string> SystemdHost::observe_units() {
    auto listed = units_->list();
    if (!listed) return std::unexpected(listed.error());
    ObservedUnits units{.servers = std::move(listed->servers), .builds = {}};
    for (const std::string& overlay : listed->builds) units.builds.try_emplace(overlay);
    store_.read_progress(units.builds);
    return units;
}

std::expected<Observed, std::string> SystemdHost::observe(const Target& target, ObservedUnits units) {
    Observed observed;
    observed.builds = std::move(units.builds);
    observed.now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    observed.local = local_time(observed.now);
    for (const auto& [name, server] : target.servers) observed.servers.try_emplace(name);

    for (auto& [name, unit] : units.servers) {
        // A unit whose name no manifest can have was never ours.
        if (is_valid_name(name)) observed.servers[name].unit = std::move(unit);
    }
    auto mounts = read_mounts(paths_);
    if (!mounts) return std::unexpected(mounts.error());
    for (auto& [name, layers] : *mounts) {
        if (is_valid_name(name)) observed.servers[name].mounted = std::move(layers);
    }
    if (auto looked = look_into_games(target, observed); !looked) return std::unexpected(looked.error());
    if (auto looked = look_at_tuning(target, observed); !looked) return std::unexpected(looked.error());
    store_.observe(target, observed);
    look_for_shadows(observed);
    look_for_players(observed);
    look_at_consoles(observed);
    look_at_cvars(target, observed);
    return observed;
}

std::expected<void, std::string> SystemdHost::look_at_tuning(const Target& target, Observed& observed) {
    DropIns found = read_drop_ins(paths_);
    observed.tuning.drop_ins = std::move(found.texts);
    // A file from the future was written before the clock was set back.
    if (found.written && *found.written <= observed.now) {
        const auto read = units_->unit_files_read();
        if (!read) return std::unexpected(read.error());
        observed.tuning.is_loaded = !*read || **read >= *found.written;
    }
    const Tuning& tuning = target.desired->tuning;
    const bool about_cpus = std::any_of(tuning.begin(), tuning.end(),
                                        [](const auto& unit) { return unit.second.contains(cpus_setting); });
    if (about_cpus) observed.tuning.cores = read_cores(paths_);
    return {};
}

/// PID 1 is asked once more, about all servers that contradict themselves or wait for a restart at once; they
/// are few. What it says now counts.
std::expected<void, std::string> SystemdHost::look_into_games(const Target& target, Observed& observed) {
    std::vector<std::string> games;
    for (const auto& [name, server] : observed.servers) {
        const bool may_restart = server.unit.active == ActiveState::Active && target.restarts.contains(name);
        if (may_restart || contradicts_itself(server)) games.push_back(name);
    }
    if (games.empty()) return {};
    const auto details = units_->details(games);
    if (!details) return std::unexpected(details.error());
    for (const auto& [name, detail] : *details) {
        observed.servers[name].unit = detail.unit;
        if (target.restarts.contains(name)) observed.servers[name].invocation = detail.invocation;
        if (observed.servers[name].mounted || detail.main_pid == 0 ||
            detail.unit.active != ActiveState::Active)
            continue;
        auto mounts = read_mounts_of(detail.main_pid, paths_);
        if (const auto own = mounts.find(name); own != mounts.end())
            observed.servers[name].mounted_in_game = std::move(own->second);
    }
    return {};
}

void SystemdHost::look_for_shadows(Observed& observed) const {
    const Fd state(::open(paths_.state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!state) return;
    for (auto& [name, server] : observed.servers) {
        if (server.managed && !server.runtime.empty()) server.set_aside = set_aside_text(state.get(), name);
        if (!server.managed || !server.mounted || server.unit.active != ActiveState::Active) continue;
        const Shadows shadows =
            find_shadows(state.get(), name,
                         server.mounted_writable ? Writable(lines_of(*server.mounted_writable))
                                                 : Writable(default_writable),
                         *server.mounted);
        server.shadowed = shadows.count;
        server.shadowed_names = shadows.names;
    }
}

/// A game is found by the port that it was started with; store_.observe() has read that.
void SystemdHost::look_for_players(Observed& observed) const {
    const auto known = probes::read_known(paths_);
    if (!known) return;
    const auto now = since_boot();
    observed.is_probed = probes::is_at_work(*known, now);
    for (auto& [name, server] : observed.servers) {
        if (server.unit.active != ActiveState::Active || !server.mounted_port) continue;
        if (observed.is_probed) server.socket = probes::observed_socket(*known, *server.mounted_port, now);
        const auto answer = known->answers.find(*server.mounted_port);
        if (answer == known->answers.end()) continue;
        ObservedPlayers players = probes::observed(answer->second, now);
        if (players.age <= longest_shown) server.players = std::move(players);
    }
}

/// What was heard when something was to be done while nobody plays. If it was not done because of what a
/// console said, that console is asked again from time to time, as long as the probe sees nobody.
void SystemdHost::look_at_consoles(Observed& observed) {
    for (const std::string& name : consoles_.heard_of()) {
        const auto found = observed.servers.find(name);
        if (found == observed.servers.end()) {
            consoles_.watch(name, {});
            continue;
        }
        ObservedServer& server = found->second;
        const bool is_there = server.unit.active == ActiveState::Active && server.mounted_port &&
                              !server.console_rendering.empty();
        if (!is_there) {
            consoles_.watch(name, {});
            continue;
        }
        const rcon::Game game{name, *server.mounted_port, server.console_rendering};
        server.console = consoles_.known(game);
        using State = ObservedConsole::State;
        const bool may_change = server.console && shows_occupied(*server.console) &&
                                server.console->state != State::Refused && server.players &&
                                server.players->count == 0;
        consoles_.watch(name, may_change ? std::optional(game) : std::nullopt);
    }
}

/// A game that has not answered any query has perhaps not run its server.cfg yet.
void SystemdHost::look_at_cvars(const Target& target, Observed& observed) {
    std::vector<rcon::Subject> subjects;
    for (const auto& [name, asked] : target.servers) {
        const auto found = observed.servers.find(name);
        if (found == observed.servers.end() || !can_be_told(asked, found->second)) continue;
        const ObservedServer& server = found->second;
        if (observed.is_probed && !(server.socket && server.socket->has_answered)) continue;
        rcon::Subject subject{
            .game = {name, *server.mounted_port, server.console_rendering},
            .start = server.unit.active_since.value_or(TimePoint()).time_since_epoch().count(),
            .names = {}};
        for (const auto& [cvar, value] : asked.spec->cvars) subject.names.insert(cvar);
        subjects.push_back(std::move(subject));
    }
    auto known = variables_.watch(subjects);
    if (waits_ && known.size() < subjects.size()) {
        variables_.read_due();
        known = variables_.watch(subjects);
    }
    for (auto& [name, cvars] : known) observed.servers[name].cvars = std::move(cvars);
}

bool SystemdHost::drain() {
    const bool has_read = store_.drain();
    const bool has_heard = consoles_.drain();
    return variables_.drain() || has_heard || has_read;
}

std::vector<Readiness> SystemdHost::readiness() const {
    Readiness answer;
    if (!while_empty_.empty()) answer.timeout = look_for_answer;
    std::vector<Readiness> all{units_->readiness(), worker_.readiness(), answer};
    for (const Readiness& console : consoles_.readiness()) all.push_back(console);
    for (const Readiness& variable : variables_.readiness()) all.push_back(variable);
    return all;
}

void SystemdHost::begin(const Plan& plan, std::span<const ActionIndex> actions) {
    begin_units(plan, actions);
    begin_files(plan, actions);
}

void SystemdHost::begin_units(const Plan& plan, std::span<const ActionIndex> actions) {
    std::map<Verb, std::vector<std::string>> batches;
    std::vector<std::string> scripts;
    for (const ActionIndex index : actions) {
        const Action& action = plan.actions[index];
        if (!is_effect(action.verb) || is_for_store(action)) continue;
        if (action.verb == Verb::Build && !request_build(plan, index)) continue;
        const Begun begun{&plan, index, std::chrono::steady_clock::now()};
        if (action.while_empty) {
            while_empty_.push_back({.begun = begun, .game = *action.while_empty, .since = since_boot()});
            continue;
        }
        if (action.console) {
            begin_command(begun);
            continue;
        }
        if (action.verb == Verb::Tune) {
            under_way_[{action.verb, action.subject.name}] = begun;
            units_->begin_tuning(*action.tuning);
            continue;
        }
        const bool script = action.verb == Verb::Build && runs_script(*action.source);
        (script ? scripts : batches[action.verb]).push_back(action.subject.name);
        under_way_[{action.verb, action.subject.name}] = begun;
    }
    if (!scripts.empty()) units_->begin_scripts(scripts);
    for (const auto& [verb, servers] : batches) {
        // systemd counts every start towards StartLimitBurst=. The limit is meant for crashes: a unit that
        // ended cleanly may be started as often as somebody stops it.
        if (verb == Verb::Start) units_->begin(Verb::ResetFailed, servers);
        units_->begin(verb, servers);
    }
}

void SystemdHost::begin_command(const Begun& begun) {
    const Action& action = begun.plan->actions[begun.action];
    const rcon::Game game{action.subject.name, action.console->port, action.console->console_rendering};
    if (action.verb == Verb::Set) {
        variables_.set(game, action.console->cvars);
    } else {
        consoles_.run(game, action.console->text);
    }
    commands_[action.subject.name] = begun;
}

/// Only answers to questions that were asked since count: with them, what is to be done begins at once.
std::vector<Outcome> SystemdHost::begin_empty() {
    const auto consoles = consoles_.poll();
    std::vector<Outcome> dropped;
    if (while_empty_.empty()) return dropped;
    const auto known = probes::read_known(paths_);
    std::map<Verb, std::vector<std::string>> batches;
    std::erase_if(while_empty_, [&](WhileEmpty& waiting) {
        const Action& action = waiting.begun.plan->actions[waiting.begun.action];
        const bool is_listed = known && known->answers.contains(waiting.game.port);
        if (const auto console = consoles.find(action.subject.name); console != consoles.end())
            waiting.console = console->second;
        const bool hangs =
            known && probes::is_at_work(*known, since_boot()) && does_not_read(*known, waiting.game.port);
        if (waiting.game.hangs && !hangs) {
            dropped.push_back({waiting.begun.action, false, FailureKind::Occupied,
                               "the game reads again, or the probe does not tell", waiting.begun.plan,
                               since(waiting.begun.at)});
            return true;
        }
        const auto verdict = judge(waiting, is_listed ? &known->answers.at(waiting.game.port) : nullptr);
        if (!verdict) return false;
        if (!*verdict) {
            dropped.push_back({waiting.begun.action, false, FailureKind::Occupied, verdict->error(),
                               waiting.begun.plan, since(waiting.begun.at)});
            return true;
        }
        if (action.console) {
            begin_command(waiting.begun);
            return true;
        }
        batches[action.verb].push_back(action.subject.name);
        under_way_[{action.verb, action.subject.name}] = waiting.begun;
        return true;
    });
    for (const auto& [verb, servers] : batches) units_->begin(verb, servers);
    return dropped;
}

/// The console is asked last: it knows of lobbies, too.
std::optional<SystemdHost::Verdict> SystemdHost::judge(WhileEmpty& waiting, const probes::Published* answer) {
    const auto no = [](std::string why) { return Verdict(std::unexpected(std::move(why))); };
    const auto now = since_boot();
    const bool is_new = answer != nullptr && answer->asked >= waiting.since;
    if (waiting.game.hangs) {
        if (is_new) return no("the game answers again");
        if (now - waiting.since < last_look_at_hang) return std::nullopt;
    } else {
        if (const unsigned count = is_new ? answer->players : 0; count > waiting.game.most)
            return no(count_text(count) + (count == 1 ? " has" : " have") + " come meanwhile");
        if (!is_new || (!waiting.console_is_asked && now - answer->asked > longest_look)) {
            if (now - waiting.since <= longest_question) return std::nullopt;
            return no("the game did not answer once more that nobody plays");
        }
    }
    if (waiting.game.console_rendering.empty()) return Verdict();
    if (!waiting.console_is_asked) {
        const Action& action = waiting.begun.plan->actions[waiting.begun.action];
        consoles_.ask({action.subject.name, waiting.game.port, waiting.game.console_rendering});
        waiting.console_is_asked = true;
        return std::nullopt;
    }
    if (!waiting.console) return std::nullopt;
    if (waiting.game.hangs)
        return waiting.console->state == ObservedConsole::State::Answered ? no("the game's console answers")
                                                                          : Verdict();
    if (shows_occupied(*waiting.console, waiting.game.most)) return no(occupied_text(*waiting.console));
    return Verdict();
}

/// What is to be built must be there before its unit starts. False: it will be told of as failed.
bool SystemdHost::request_build(const Plan& plan, ActionIndex index) {
    const Action& action = plan.actions[index];
    const Store::Done requested = store_.request_build(action.subject.name, *action.source);
    if (requested) return true;
    Outcome outcome{index, false, FailureKind::Unknown, {}, &plan};
    explain(outcome, requested.error());
    worker_.begin([outcome] { return std::vector{outcome}; });
    return false;
}

void SystemdHost::begin_files(const Plan& plan, std::span<const ActionIndex> actions) {
    std::vector<FileWork> batch;
    const auto begin_batch = [&] {
        if (batch.empty()) return;
        worker_.begin(
            [this, begun = std::exchange(batch, {})]() mutable { return carry_out(store_, paths_, begun); });
    };
    for (const ActionIndex index : actions) {
        const Action& action = plan.actions[index];
        if (!is_effect(action.verb) || !is_for_store(action)) continue;
        batch.push_back({.action = action, .outcome = {index, false, FailureKind::IOError, {}, &plan, {}}});
        if (batch.size() == file_batch) begin_batch();
    }
    begin_batch();
}

void SystemdHost::tell_of_commands(const std::map<std::string, std::expected<void, std::string>>& ended,
                                   std::vector<Outcome>& outcomes) {
    for (const auto& [server, ran] : ended) {
        const auto begun = commands_.extract(server);
        if (begun.empty()) continue;
        outcomes.push_back({begun.mapped().action, ran.has_value(),
                            ran ? FailureKind::Unknown : FailureKind::NotSaid,
                            ran ? std::string() : "the game's console " + ran.error(), begun.mapped().plan,
                            since(begun.mapped().at)});
    }
}

std::vector<Outcome> SystemdHost::poll_completions() {
    std::vector<Outcome> outcomes = worker_.poll_completions();
    for (Outcome& dropped : begin_empty()) outcomes.push_back(std::move(dropped));
    tell_of_commands(consoles_.ran(), outcomes);
    variables_.poll();
    tell_of_commands(variables_.ended(), outcomes);
    for (const auto& [verb, unit] : units_->poll_completions()) {
        const auto found = under_way_.find({verb, unit.server});
        if (found == under_way_.end()) continue;
        outcomes.push_back({found->second.action, unit.done, unit.reason, unit.message, found->second.plan,
                            since(found->second.at)});
        under_way_.erase(found);
    }
    // Never observed; but without this, a request that was lost would be waited for forever.
    if (units_->idle() && outcomes.empty()) {
        for (const auto& [request, begun] : std::exchange(under_way_, {})) {
            outcomes.push_back(
                {begun.action, false, FailureKind::NoAnswer, "this request was lost", begun.plan, {}});
        }
    }
    return outcomes;
}

Store::Done SystemdHost::cancel_build(const std::string& overlay, const std::string& input) {
    if (auto said = store_.cancel_build(overlay, input); !said) return said;
    units_->begin(Verb::Cancel, std::span(&overlay, 1));
    for (const auto& [verb, outcome] : units_->wait()) {
        if (!outcome.done) return std::unexpected(Error{outcome.reason, outcome.message});
    }
    return {};
}

}  // namespace left4me
