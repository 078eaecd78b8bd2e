#include "operations/context.hpp"

#include "adapters/config/file.hpp"
#include "adapters/sources/open.hpp"

namespace left4me::operations {

Result<void> configure(Context& context, const std::optional<std::string>& text) {
    auto config = parse_config_text(context.config_path, text);
    if (!config) return fail(ErrorKind::InvalidConfig, config.error());
    context.config = std::move(*config);
    context.source = open_source(context.paths, context.config);
    return {};
}

std::string actor_of(const Authorship& person) {
    const std::string user = person.email.substr(0, person.email.find('@'));
    return user == service_user ? "" : user;
}

std::string requester_of(const Context& context) {
    std::string name = actor_of(context.caller);
    return name.empty() ? service_user : name;
}

}  // namespace left4me::operations
