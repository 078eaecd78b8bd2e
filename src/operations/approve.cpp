#include "operations/approve.hpp"

#include <fmt/format.h>

#include "adapters/source/revision.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

/// The length of a commit id that git prints in short form.
constexpr std::size_t shortest = 7;

}  // namespace

Result<std::string> approve(Context& context, const std::string& revision) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    // Approving another revision than the current one is a misunderstanding that would stop servers.
    const std::string& stands = in_force->rejected.empty() ? in_force->snapshot.revision : in_force->rejected;
    if (revision.size() < shortest || !stands.starts_with(revision)) {
        return fail(
            ErrorKind::NotFound,
            fmt::format("the source's revision is {}, not {}; look at l4d2ctl diff again", stands, revision));
    }
    if (auto approved = left4me::approve(context.paths, stands); !approved)
        return fail(ErrorKind::StateFailed, approved.error());
    return stands;
}

}  // namespace left4me::operations
