#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "builder/partial_file.hpp"
#include "builder/transfer.hpp"
#include "specs/remote_url.hpp"

namespace left4me::builder {

/// The server, who may be it, and who is asking.
struct SshPlace {
    RemoteUrl url;
    std::vector<std::string> host_keys;  ///< as GitSource::host_keys
    DeployKey key;
    std::vector<Network> private_networks;
};

/// A program that runs on a server, over ssh with libssh2. The same addresses are connected to as by
/// transfer(), and a server that is silent or slow is left by the same rules.
class SshChannel {
  public:
    /// The key is read when the server has shown one of its host keys, and forgotten before this returns.
    static std::expected<std::unique_ptr<SshChannel>, TransferResult> open(const SshPlace& place,
                                                                           const std::string& program,
                                                                           const TransferLimits& limits);
    SshChannel(const SshChannel&) = delete;
    SshChannel& operator=(const SshChannel&) = delete;
    ~SshChannel();

    TransferResult send(std::string_view data, const TransferLimits& limits);
    /// What the program writes, until `is_whole`. An end before that is an error, with what it complains of.
    TransferResult receive(const TransferLimits& limits, const std::function<bool(std::string_view)>& write,
                           const std::function<bool()>& is_whole);

  private:
    class State;
    explicit SshChannel(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace left4me::builder
