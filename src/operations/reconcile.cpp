#include "operations/reconcile.hpp"

#include "adapters/events/origin.hpp"
#include "adapters/events/record.hpp"
#include "adapters/metrics/metrics.hpp"
#include "adapters/metrics/textfile.hpp"
#include "adapters/store/restart_requests.hpp"
#include "adapters/store/status_file.hpp"

namespace left4me::operations {

namespace {

/// Remembers the trouble even when there is no revision to make a pass with.
void note_source_error(const Context& context, const std::string& error) {
    const Status before = load_status(context.paths);
    if (before.source_error == error) return;
    Status status = before;
    status.source_error = error;
    status.last_pass = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    if (auto saved = save_status(context.paths, status); !saved)
        context.notice("the status could not be kept: " + saved.error());
    if (auto recorded =
            record(context.paths, events_of(before, {}, {}, {}, {}, status), actor_of(context.caller));
        !recorded)
        context.notice("the event could not be kept: " + recorded.error());
}

void write_metrics(const Context& context, const Intent& intent, const Status& status, const RunResult& run,
                   std::chrono::duration<double> took) {
    // A daemon has more to tell in that file, and has been woken up by what was done here.
    if (context.config.metrics_textfile.empty() || poke(context.paths) == Poked::Heard) return;
    const Standing standing{*run.target.desired, intent, status, run.remaining, context.source->name(), took};
    if (auto written = write_textfile(context.config.metrics_textfile, metrics_text(standing, nullptr));
        !written)
        context.notice("the metrics could not be written: " + written.error());
}

/// The pass has done what it could: that its story cannot be told is worth a line, not a failure.
void tell_story(const Context& context, const InForce& in_force, const Intent& intent, const Status& status,
                const RunResult& run) {
    PassEnd end = end_of_pass(run.before, run.target.revision(), intent, run.ended, run.remaining, status);
    end.revisions = revisions_of(in_force);
    end.actor = actor_of(context.caller);
    if (auto recorded = record_pass(context.paths, std::move(end)); !recorded)
        context.notice("the events of this pass could not be kept: " + recorded.error());
}

}  // namespace

Result<void> fetch(Context& context) {
    if (!context.source->fetch_interval()) return {};
    if (const auto fetched = context.source->fetch(); !fetched)
        return fail(ErrorKind::SourceUnavailable, fetched.error());
    return {};
}

Result<InForce> take_revision(Context& context) {
    auto in_force = read_source(context);
    if (!in_force) {
        note_source_error(context, in_force.error().message);
        return in_force;
    }
    if (in_force->trouble == Trouble::None) {
        if (auto kept = keep_last_good(context.paths, in_force->snapshot); !kept)
            return fail(ErrorKind::StateFailed, kept.error());
    }
    return in_force;
}

Result<RunResult> make_pass(Context& context, const InForce& in_force, const PassOptions& options) {
    auto machine = connect(context);
    if (!machine) return std::unexpected(machine.error());
    const std::unique_ptr<Host> wrapped = options.wrapper ? options.wrapper(**machine) : nullptr;
    Intent intent = load_intent(context.paths);
    intent.retry_now = options.retry_now;
    Engine engine(wrapped ? *wrapped : **machine, load_status(context.paths));
    const auto begun = std::chrono::steady_clock::now();
    auto run = engine.run({std::make_shared<const Desired>(in_force.desired()), intent, in_force.error});
    if (!run) return fail(ErrorKind::HostUnavailable, run.error());
    if (auto saved = save_status(context.paths, engine.status()); !saved)
        return fail(ErrorKind::StateFailed, saved.error());
    if (!intent.restarts.empty()) {
        const auto dropped = drop_finished_requests(context.paths, run->target, run->observed);
        if (!dropped) context.notice("the requests for restarts could not be kept: " + dropped.error());
    }
    tell_story(context, in_force, intent, engine.status(), *run);
    write_metrics(context, intent, engine.status(), *run, std::chrono::steady_clock::now() - begun);
    return std::move(*run);
}

Poked trigger(const Context& context) { return poke(context.paths); }

}  // namespace left4me::operations
