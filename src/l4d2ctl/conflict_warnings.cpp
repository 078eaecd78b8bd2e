#include "l4d2ctl/conflict_warnings.hpp"

#include <fmt/format.h>

#include "specs/text.hpp"

namespace left4me::ctl {

void warn_of_conflicts(const Session& session, const std::map<std::string, OverlaySource>& sources,
                       const std::map<std::string, operations::OverlayStack>& stacks) {
    operations::ConflictFinder finder(session.paths, sources);
    for (const std::string& warning : operations::conflict_warnings(finder, stacks))
        print_error(fmt::format("warning: {}\n", printable_line(warning)));
}

}  // namespace left4me::ctl
