#include "operations/reconcile.hpp"

#include <chrono>
#include <optional>

#include "operations/drive.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A daemon that is restarted is back within two seconds.
constexpr auto patience_with_restart = 5s;
constexpr auto reconnect_pause = 100ms;
// Longer than any observation takes.
constexpr auto patience_with_answer = 10s;

TriggerRequest request_of(const Context& context, bool retry_now) {
    return {.retry = retry_now, .actor = actor_of(context.caller)};
}

/// nullopt: the daemon has gone before it had settled.
Result<std::optional<StepReport>> follow(Context& context, TriggerClient& daemon,
                                         const ReconcileOptions& options, Settling& settling,
                                         Interruption& interruption) {
    const auto began = Clock::now();
    bool heard = false;
    for (;;) {
        while (auto report = daemon.read()) {
            heard = true;
            options.on_report(*report);
            if (settling.has_settled(*report)) return report;
        }
        if (daemon.is_closed()) return std::nullopt;
        Readiness answer = daemon.readiness();
        answer.timeout = wait_pause;
        const bool came = wait_for_any({answer, interruption.readiness()});
        if (interruption.came()) return interrupted();
        if (!came) options.on_wait();
        if (heard || Clock::now() - began < patience_with_answer) continue;
        context.notice("l4d2d does not answer yet; systemctl status left4me");
        heard = true;
    }
}

/// NoDaemon: it does not come back.
Result<std::optional<TriggerClient>> reconnect(const Context& context, Interruption& interruption) {
    for (const auto end = Clock::now() + patience_with_restart; Clock::now() < end;) {
        if (auto daemon = TriggerClient::connect(context.paths, request_of(context, false)))
            return std::move(*daemon);
        Readiness pause = interruption.readiness();
        pause.timeout = reconnect_pause;
        wait_for_any({pause});
        if (interruption.came()) return interrupted();
    }
    return std::nullopt;
}

Result<StepReport> follow_or_drive(Context& context, const ReconcileOptions& options,
                                   Interruption& interruption) {
    Settling settling(options.concern, options.build_timeout);
    auto daemon = TriggerClient::connect(context.paths, request_of(context, options.retry_now));
    if (!daemon) return drive(context, options, settling, interruption);
    for (;;) {
        auto followed = follow(context, *daemon, options, settling, interruption);
        if (!followed) return std::unexpected(followed.error());
        if (*followed) return **std::move(followed);
        context.notice("l4d2d has ended or serves too many; trying to reach it again");
        auto again = reconnect(context, interruption);
        if (!again) return std::unexpected(again.error());
        if (!*again) break;
        daemon = **std::move(again);
    }
    context.notice("l4d2d does not come back: going on without it");
    ReconcileOptions rest = options;
    rest.retry_now = false;
    return drive(context, rest, settling, interruption);
}

}  // namespace

Result<void> fetch(Context& context) {
    if (!context.source->fetch_interval()) return {};
    if (const auto fetched = context.source->fetch(); !fetched)
        return fail(ErrorKind::SourceUnavailable, fetched.error());
    return {};
}

Result<StepReport> reconcile(Context& context, const ReconcileOptions& options) {
    // An edit that was killed is completed by the next command.
    if (const auto edits = lock_edits(context); !edits) return std::unexpected(edits.error());
    Interruption interruption;
    auto last = follow_or_drive(context, options, interruption);
    if (!last) return last;
    if (last->revision.empty())
        return std::unexpected(source_error(context, last->error_kind, last->source_error));
    if (!last->host_error.empty()) return fail(ErrorKind::HostUnavailable, last->host_error);
    return last;
}

std::expected<void, TriggerError> trigger(const Context& context) { return left4me::trigger(context.paths); }

}  // namespace left4me::operations
