#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

void add_version(CLI::App& app, Session& session) {
    add_verb(app, session, "version", "Shows the version", "  l4d2ctl version", []() -> Result<Exit> {
        print("l4d2ctl " LEFT4ME_VERSION "\n");
        return Exit::Done;
    });
}

}  // namespace left4me::ctl
