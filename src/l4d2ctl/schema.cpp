#include "specs/schema.hpp"

#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

void add_schema(CLI::App& app, Session& session) {
    add_verb(app, session, "schema", "Prints the JSON Schema of manifests, for editors",
             "  l4d2ctl schema > left4me.schema.json", []() -> Result<Exit> {
                 print(json_schema());
                 return Exit::Done;
             });
}

}  // namespace left4me::ctl
