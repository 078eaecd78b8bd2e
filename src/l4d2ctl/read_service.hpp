#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "l4d2ctl/session.hpp"

/// Members of left4me-operators may look at the host without sudo. What a verb must read for that
/// (renderings, secrets) is closed to them, so `left4me-read@.service` runs the verb as user left4me, and its
/// output goes straight to the descriptors of whoever asked. systemd listens on the socket, which only that
/// group may use, and starts one instance per connection.
namespace left4me::ctl {

/// How a verb is to be run for somebody else.
struct ReadRequest {
    std::vector<std::string> arguments;    ///< from the verb on
    std::vector<std::string> environment;  ///< NAME=VALUE of what tells how output should look
};

/// At most, with the NUL after each text.
inline constexpr std::size_t max_read_request = std::size_t{64} << 10U;

/// Texts of a request, each with a NUL behind it; an empty one parts the environment from the arguments.
/// Nothing else is believed of it: a variable that does not concern the output is left out.
std::string encode(const ReadRequest& request);
/// nullopt: not what encode() writes.
std::optional<ReadRequest> decode(std::string_view bytes);

/// Whether the verb only shows the host: get, describe, diff, explain-path, status, tree, wait.
bool is_served(const std::string& verb);

/// Runs the chosen verb there, if this user may not see what it needs and the service may be asked; returns
/// its exit code. nullopt: it has to be run here.
std::optional<int> ask_read_service(const Session& session, int argc, char** argv);

/// The other end, on the connection that is standard input: takes the request, and from there on standard
/// output, standard error and the environment are those of whoever asked. The process ends when they hang up.
Result<ReadRequest> accept_read_request();
/// Tells them how it ended.
void answer_read_request(int exit_code);

}  // namespace left4me::ctl
