#include "operations/approve.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "adapters/source/revision.hpp"
#include "adapters/store/status_file.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

/// The length of a commit id that git prints in short form.
constexpr std::size_t shortest = 7;

/// Revisions of which something is still held, whichever is in force by now.
std::set<std::string> waiting_revisions(const Paths& paths) {
    std::set<std::string> revisions;
    for (const auto& [name, server] : load_status(paths).servers) {
        if (!server.remembered.awaits_approval.empty()) revisions.insert(server.remembered.awaits_approval);
    }
    return revisions;
}

}  // namespace

Result<std::string> approve(Context& context, const std::string& revision) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    // Approving a revision that nothing waits for is a misunderstanding that would stop servers.
    const std::string& stands = in_force->rejected.empty() ? in_force->snapshot.revision : in_force->rejected;
    std::set<std::string> revisions = waiting_revisions(context.paths);
    const auto is_meant = [&](const std::string& known) {
        return revision.size() >= shortest && known.starts_with(revision);
    };
    const auto earlier = std::find_if(revisions.begin(), revisions.end(), is_meant);
    if (!is_meant(stands) && earlier == revisions.end()) {
        revisions.erase(stands);
        return fail(ErrorKind::NotFound,
                    fmt::format("the source's revision is {}{}, not {}; look at l4d2ctl diff again", stands,
                                revisions.empty() ? ""
                                                  : fmt::format(", and {} waits for approval",
                                                                fmt::join(revisions, ", and ")),
                                revision));
    }
    const std::string& meant = is_meant(stands) ? stands : *earlier;
    if (auto approved = left4me::approve(context.paths, meant); !approved)
        return fail(ErrorKind::StateFailed, approved.error());
    return meant;
}

}  // namespace left4me::operations
