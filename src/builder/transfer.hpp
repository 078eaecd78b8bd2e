#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adapters/network.hpp"

namespace left4me::builder {

struct TransferLimits {
    std::uint64_t bytes = 256ULL << 30U;  ///< of the whole file
    /// What to do if it has more: follows "the file has more than N bytes; ".
    std::string remedy = "if that is right, raise limits.overlayBytes in /etc/left4me/config.yaml";
    std::chrono::seconds connect{30};
    /// A transfer that brings less than 1 KiB/s for so long has stalled.
    std::chrono::seconds stalled{30};
};

/// One request for one file.
struct TransferRequest {
    std::string url;
    std::uint64_t offset = 0;  ///< what is there already
    std::string validator;     ///< for If-Range: an ETag or a date; the offset counts only with one
    std::string ca_file;       ///< empty: the CAs of the host
    std::vector<Network> private_networks;
    TransferLimits limits;
    /// What to send, with POST, which is not redirected; a form, unless `headers` have a Content-Type.
    std::optional<std::string> post = {};
    std::vector<std::string> headers = {};  ///< further ones, as "Name: value"
    /// It is given up within a second; what ends so is Interrupted.
    std::stop_token stop = {};
};

enum class TransferEnd {
    Complete,
    Interrupted,  ///< may work the next time
    Stale,        ///< the same, but what is there already is no part of what the server has
    NothingMore,  ///< the server's file ends where what is there already does, or before: status 416
    Refused,      ///< by the server or by us; another try is of no use
    OwnError,     ///< our own file could not be written
};

struct TransferResult {
    TransferEnd end = TransferEnd::Interrupted;
    std::string message;                              ///< unless Complete: with the remedy
    std::optional<std::chrono::seconds> retry_after;  ///< what the server asks for
    bool web_page = false;                            ///< it said that it sends HTML
    long status = 0;                                  ///< of HTTP; 0: there was no answer
    std::string url = {};                             ///< after redirects
};

/// Where the content goes.
struct TransferSink {
    /// Once, before the first write(): the content begins at `offset` (0: from the beginning, whatever was
    /// asked for); `total` is the size of the whole file, 0 if unknown; `validator` is for a later request.
    /// False: our own error.
    std::function<bool(std::uint64_t offset, std::uint64_t total, const std::string& validator)> begin;
    std::function<bool(std::string_view data)> write;
};

/// One GET or POST over https with libcurl. Certificates are verified, redirects are followed within https,
/// and no address that is not public is connected to, unless it is in one of the networks that are allowed.
TransferResult transfer(const TransferRequest& request, const TransferSink& sink);

/// A TCP connection over which somebody else speaks, made under the same rules.
class Connection {
  public:
    static std::expected<Connection, TransferResult> open(const std::string& host, unsigned port,
                                                          const std::vector<Network>& private_networks,
                                                          const TransferLimits& limits);
    /// Does not block.
    int socket() const { return socket_; }

  private:
    Connection(std::shared_ptr<void> owner, int socket) : owner_(std::move(owner)), socket_(socket) {}

    std::shared_ptr<void> owner_;  ///< libcurl's, which closes the socket
    int socket_;
};

}  // namespace left4me::builder
