#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace left4me {

/// What server.cfg gets at its end for `rcon: {secret: FILE}`, with the placeholder of the secret. The last
/// line wins, whatever a file of an overlay has set before.
std::string console_config(std::string_view secret_file);

/// The password in the text of a server.cfg that ends with console_config(); nullopt: it does not. Of a text
/// whose placeholders are not replaced, the placeholder.
std::optional<std::string> console_password(std::string_view config);

}  // namespace left4me
