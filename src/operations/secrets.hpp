#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/store/secrets.hpp"
#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

using store::max_secret_bytes;

/// What may be known of a secret; never its text.
struct SecretInfo {
    std::string name;
    std::optional<TimePoint> written;     ///< nullopt: there is no such file
    std::vector<std::string> blueprints;  ///< those that give it to their servers
    std::string problem;                  ///< why servers cannot get it; empty: they can
};

/// The files of /etc/left4me/secrets, and what Blueprints name though it is not there; by name. An error if
/// the directory cannot be read.
Result<std::vector<SecretInfo>> list_secrets(const Context& context, const ManifestSet& set);
/// docs/cli.md describes the fields.
Json secrets_json(const std::vector<SecretInfo>& secrets);

/// Writes one, readable for left4me alone, and asks for a pass. `text` is one line of at most 4096 bytes
/// without quotation marks; a newline at its end does not count. Returns the servers that get it.
Result<std::vector<std::string>> set_secret(Context& context, const std::string& name, std::string text);
/// Writes a random one: 32 letters and digits, 190 bits.
Result<std::vector<std::string>> rotate_secret(Context& context, const std::string& name);
/// StillReferenced if a Blueprint names it.
Result<void> remove_secret(Context& context, const std::string& name);

}  // namespace left4me::operations
