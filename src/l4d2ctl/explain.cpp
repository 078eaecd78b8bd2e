#include "specs/explain.hpp"

#include "adapters/config/table.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

void add_explain(CLI::App& app, Session& session) {
    auto field = std::make_shared<std::string>();
    Command verb =
        add_verb(app, session, "explain", "Explains a field of a manifest or of config.yaml, or a whole kind",
                 "  l4d2ctl explain server\n  l4d2ctl explain server.spec.rollout.policy\n"
                 "  l4d2ctl explain config.source.git",
                 [field]() -> Result<Exit> {
                     const auto text = explain(*field, config_table());
                     if (!text) return fail(Exit::NotFound, text.error());
                     print(*text);
                     return Exit::Done;
                 });
    verb.argument("FIELD", *field, "KIND, KIND.FIELD… or config.FIELD…, as in server.spec.port",
                  Words::Fields);
}

}  // namespace left4me::ctl
