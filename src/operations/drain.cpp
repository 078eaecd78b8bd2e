#include "operations/drain.hpp"

#include <fmt/format.h>

#include <chrono>

#include "operations/events.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/time_of_day.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

Result<Drain> make_drain(const Context& context, const DrainOptions& options) {
    Drain drain{.by = requester_of(context),
                .at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()),
                .deadline = parse_duration(options.deadline),
                .deadline_at = parse_time_of_day(options.deadline),
                .message = options.message};
    const bool has_deadline = drain.deadline || drain.deadline_at;
    if (!has_deadline && !options.deadline.empty())
        return fail(ErrorKind::InvalidArgument,
                    fmt::format("--deadline: {} is neither a duration ({}) nor a time of day ({})",
                                in_quotes(options.deadline), duration_examples, time_of_day_examples));
    if (!has_deadline && !drain.message.empty())
        return fail(ErrorKind::InvalidArgument,
                    "--message goes with --deadline: the players are told it before the deadline passes");
    if (!is_message(drain.message))
        return fail(ErrorKind::InvalidArgument,
                    fmt::format("--message: write one line of at most {} bytes, without quotation marks",
                                Drain::max_message));
    return drain;
}

std::string latest_text(const DrainOptions& options) {
    if (options.deadline.empty()) return {};
    return parse_duration(options.deadline) ? ", at the latest after " + options.deadline
                                            : ", at the latest at " + options.deadline;
}

}  // namespace

Result<Proposal> drain(Context& context, const Selection& selection, const DrainOptions& options) {
    const auto drain = make_drain(context, options);
    if (!drain) return std::unexpected(drain.error());
    auto committed = commit_for_servers(context, [&]() -> Result<Proposal> {
        auto proposal = propose_state(context, selection, RunState::Stopped);
        if (!proposal) return proposal;
        proposal->verb = "drain";
        proposal->stop.drain = *drain;
        return proposal;
    });
    if (!committed) return committed;
    const auto& servers = committed->stop.servers;
    record_event(context, server_subjects({servers.begin(), servers.end()}), "DrainRequested",
                 "a stop was asked for when nobody plays" + latest_text(options));
    return committed;
}

}  // namespace left4me::operations
