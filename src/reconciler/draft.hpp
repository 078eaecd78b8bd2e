#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconciler/artifacts.hpp"
#include "reconciler/plan.hpp"

/// How plan() is made, one idea a file. Nothing outside src/reconciler/ includes this.
namespace left4me::draft {

/// Why something is done to a server.
enum class Cause {
    Manifest,  ///< the manifests changed, and their rollout allows it now
    Deadline,  ///< the rollout has waited for its deadline
    Request,   ///< a person asked for it, or for a reset
    Schedule,  ///< the manifest's schedule asks for it
    Hang,      ///< the game does not respond
    Slow,      ///< the game does not keep up its tick, and the manifest asks for a restart
};
/// It is done for its own sake, and corrects nothing.
constexpr bool is_asked_for(Cause cause) {
    return cause == Cause::Request || cause == Cause::Schedule || cause == Cause::Slow;
}
/// What a restart waits as, if it waits.
HoldReason code_of_wait(Cause cause);

/// One decision about one server or overlay, before ordering.
struct Step {
    Verb verb = Verb::Report;
    std::string reason;
    std::string artifact;
    std::optional<HoldReason> code;
    Cause cause = Cause::Manifest;
    std::string by = {};                         ///< Action::by
    std::string to_approve = {};                 ///< Action::to_approve
    std::optional<WhileEmpty> while_empty = {};  ///< Action::while_empty
    std::optional<ConsoleCommand> console = {};  ///< Action::console
    std::optional<Wait> wait = {};               ///< Action::wait
};

/// All decisions about one server. A server without any decision has no draft.
struct ServerDraft {
    std::string name;
    const TargetServer* target = nullptr;  ///< nullptr: not in the manifests
    const ObservedServer* observed = nullptr;
    std::vector<Step> steps;
    /// Servers whose Stop must end before this one may start: they hold its port.
    std::vector<std::string> starts_after_stop_of = {};
    /// What `current` names is complete, with all its layers, so the server can be started with it.
    bool usable = false;
    /// A start uses that one, because the target's rendering is not available now.
    bool as_is = false;
    /// It is a canary that has failed, and starts with this one; nullptr: it is not.
    const ObservedRendering* back_to = nullptr;
    bool is_canary = false;  ///< it gets a change before the other servers of its Blueprint

    const DesiredServer* desired() const { return target == nullptr ? nullptr : target->spec; }
    /// The layers of what `current` names; nullptr: it is not complete.
    const std::vector<std::string>* current_layers() const;
    /// The layers and the port that a start would use; nullptr, nullopt: unknown.
    const std::vector<std::string>* start_layers() const;
    std::optional<std::uint16_t> start_port() const;
    const Step* find(Verb verb) const;
    bool has(Verb verb) const { return find(verb) != nullptr; }
    void erase(Verb verb);
};

struct OverlayDraft {
    std::string name;
    Step step;
};

/// The decision about the drop-ins of left4me.
struct TuningDraft {
    Step step;
    bool drift = false;
};

/// An artifact that nothing uses any more once the named servers' steps have ended.
struct PruneDraft {
    Subject subject;
    std::string path;
    std::vector<std::pair<std::string, Verb>> after;
};

/// Everything that a decision may depend on.
struct World {
    const Target& target;
    const Observed& observed;
    const Memory& memory;
    const Intent& intent;

    const Desired& desired() const { return *target.desired; }
    bool is_approved() const { return !intent.approved.empty() && intent.approved == target.revision(); }
};

/// A start would need what is in `installation`, and there is no game there. An artifact of an Installation
/// has the game: its build has looked.
bool game_is_missing(const World& world, const ServerDraft& draft);

bool is_up(ActiveState state);  ///< active, or becoming active
/// The unit has processes, or will soon: its port may be in use.
bool occupies(ActiveState state);

// One function per concern, each in the file of its name.
std::vector<OverlayDraft> plan_overlays(const World& world);
/// Overlays whose pins are to be moved forward now.
std::vector<OverlayDraft> plan_refreshes(const World& world, const std::vector<OverlayDraft>& overlays);
/// nullopt: they are as asked.
std::optional<TuningDraft> plan_tuning(const World& world);
ServerDraft plan_server(const World& world, const TargetServer& target, const ObservedServer& observed);
ServerDraft plan_orphan(const std::string& name, const ObservedServer& observed);

/// Why a server or an overlay waits for an input.
HoldReason hold_reason(InputErrorKind kind);
/// Adds Render, or the reason why not; sets `usable` and `as_is`. False: there is nothing to start this
/// server with.
bool plan_rendering(const World& world, ServerDraft& draft);
/// Whether all layers are there.
bool is_usable(const World& world, const std::vector<std::string>& layers);
/// The return of a canary that has failed to its last healthy rendering. False: it has not, or there is none.
bool plan_return(const World& world, ServerDraft& draft);
/// "; with its last rendering, …", or nothing: what a start says if it does not use the target's rendering.
std::string why_as_is(const World& world, const ServerDraft& draft);
/// "layers differ (tickrate 4f1c → 9ab0)", "server.cfg changed"…: how the stack in use differs from the
/// target's.
std::string describe_mounted(const TargetServer& target, const ObservedServer& observed);
/// A change that needs a restart: now (Restart) or later (Hold), according to the manifest's rollout.
Step decide_rollout(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                    const std::string& change);

/// The restart of a game that hangs; nullopt: it does not, as far as can be told.
std::optional<Step> decide_hang(const World& world, const ServerDraft& draft);

/// The restart of a game that is too slow: once nobody plays (Restart) or later (Hold); nullopt: it is not,
/// or the manifest does not ask for that.
std::optional<Step> decide_slow(const World& world, const DesiredServer& desired,
                                const ObservedServer& observed);

/// What players are to be told now, because the deadline of what waits since then comes near; nullopt:
/// nothing. `fate`: "restarted". `message`: as Drain's.
std::optional<Step> decide_warning(const World& world, const DesiredServer& desired,
                                   const ObservedServer& observed, TimePoint since, const char* fate,
                                   const std::string& message = {});
/// Since when a change waits, or would wait from now on.
TimePoint waits_since(const World& world, const DesiredServer& desired);

/// The restart that a person asked for: now (Restart) or later (Hold); nullopt: none is due.
std::optional<Step> decide_request(const World& world, const std::string& server,
                                   const ObservedServer& observed);

/// Since when a restart is due that the schedule asks for; nullopt: none is.
std::optional<TimePoint> scheduled_since(const World& world, const DesiredServer& desired,
                                         const ObservedServer& observed);
/// That restart: now (Restart) or later (Hold).
Step decide_scheduled(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                      TimePoint since);
/// The command that the schedule asks for: now (Command) or once nobody plays (Hold); nullopt: none is due.
std::optional<Step> decide_command(const World& world, const DesiredServer& desired,
                                   const ObservedServer& observed);

/// Cvars that the running game has with another value than the manifests say: what is set now (Set), and what
/// the game refuses (Report). Only if the game was started as the manifests say.
void plan_cvars(const World& world, ServerDraft& draft);

/// `most`: as many players may be there.
bool is_empty(const ObservedServer& observed, unsigned most = 0);
/// "waits until empty: 3 players", for something that is done only when nobody plays, or at most so many.
std::string waits_text(const ObservedServer& observed, unsigned most = 0);
/// It waits for players, or must be asked once more.
Step while_empty(Step step, const ObservedServer& observed, unsigned most = 0);

/// A restart that may have to wait, and why it is wanted.
struct Wanted {
    std::string text;  ///< "server.cfg changed; rollout WhenEmpty"
    TimePoint since;
    Cause cause = Cause::Manifest;           ///< of the restart
    Cause after_deadline = Cause::Deadline;  ///< the same, when players are not waited for any more
    HoldReason code = HoldReason::RolloutPending;
};
/// The restart, once nobody plays or the rollout's deadline has passed, within its window; else a Hold.
Step when_empty(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                const Wanted& wanted);

/// Regardless of rollout policy, remounts an overlay that the game still holds.
void plan_attach(ServerDraft& draft);
/// A server that is stopped or restarted anyway does not need it.
void leave_out_needless_attach(ServerDraft& draft);

/// The reset that a person asked for: stop, purge, and start as the manifest says. `startable`: as
/// plan_rendering() returned.
void plan_reset(const World& world, ServerDraft& draft, bool startable);

/// Files that the game put above its layers. Not corrected now: the next start sets them aside.
void report_shadows(ServerDraft& draft);

/// A suspended server keeps what it has; the plan only reports what would be done.
void leave_suspended_alone(const World& world, ServerDraft& draft);
bool is_suspended(const World& world, const std::string& server);
/// Whether everything, or every server that uses it, is suspended.
bool overlay_is_suspended(const World& world, const std::string& overlay);

/// A failed action is not retried before its time.
void hold_back_off(const World& world, ServerDraft& draft);
void hold_back_off(const World& world, OverlayDraft& draft);
/// The files of an inline overlay are still to be written.
bool is_unwritten(const World& world, const std::string& overlay);
/// The recent failure of this artifact's build, if the retry is not due yet; else nullptr.
const Backoff* build_backoff(const World& world, const std::string& overlay);
/// UnitBuild::unrecorded_retry(), unless a person has asked for a retry since.
std::optional<TimePoint> unrecorded_retry(const World& world, const UnitBuild& build);
/// The recent failure to write the server's rendering, if the retry is not due yet; else nullptr.
const Backoff* render_backoff(const World& world, const ServerDraft& draft);

/// `drift: Report`: if nothing changed in the manifests, nothing is changed on the host.
void report_drift(const World& world, ServerDraft& draft);
/// True if neither the manifests nor a layer changed since they were last applied to this server.
bool nothing_was_changed(const World& world, const ServerDraft& draft);
/// Whether the action corrects a change that nobody asked for.
bool is_drift(const World& world, const ServerDraft& draft);

/// Until the canaries of a Blueprint have proven a change, its other servers keep what they have.
void send_canaries(const World& world, std::vector<ServerDraft>& drafts);

/// At most a tenth of the servers of a blueprint, and at least one, are down because of a deadline or the
/// schedule at the same time, or as many as its maxUnavailable says because of any change; the same holds for
/// the servers of a staggered request. The others wait.
void limit_restarts(const World& world, std::vector<ServerDraft>& drafts);
/// Of servers that are down, as many come up at the same time as the Host says.
void limit_starts(const World& world, std::vector<ServerDraft>& drafts);
/// What waits for a restart no longer does if another reason makes it now.
void merge_restarts(ServerDraft& draft);
void guard_against_mass_stop(const World& world, std::vector<ServerDraft>& drafts);
/// A stop that a person wants once nobody plays waits for that, or for its deadline.
void wait_for_players(const World& world, ServerDraft& draft);
void settle_ports(const World& world, std::vector<ServerDraft>& drafts);
std::vector<PruneDraft> plan_prune(const World& world, const std::vector<ServerDraft>& drafts);
/// The same decision about every artifact, with its reasons.
std::vector<ArtifactVerdict> explain_prune(const World& world, const std::vector<ServerDraft>& drafts);

Plan assemble(const World& world, const std::optional<TuningDraft>& tuning,
              std::vector<OverlayDraft> overlays, std::vector<ServerDraft> servers,
              std::vector<PruneDraft> prunes);

}  // namespace left4me::draft
