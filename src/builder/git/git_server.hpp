#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "builder/partial_file.hpp"
#include "builder/transfer.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Where an answer goes.
struct AnswerSink {
    std::function<bool()> begin;                       ///< of an answer; as TransferSink::begin
    std::function<bool(std::string_view data)> write;  ///< as TransferSink::write
    std::function<bool()> is_whole;  ///< what has come is an answer: over ssh, nothing else tells
};

/// How commands in version 2 of git's protocol, gitprotocol-v2(5), reach the server of one repository.
class GitServer {
  public:
    GitServer() = default;
    GitServer(const GitServer&) = delete;
    GitServer& operator=(const GitServer&) = delete;
    virtual ~GitServer() = default;

    /// Asks what the server can do. First of all.
    virtual TransferResult introduce(const TransferLimits& limits, const AnswerSink& sink) = 0;
    /// Sends a command. After any result, another one may be sent.
    virtual TransferResult ask(const std::string& command, const TransferLimits& limits,
                               const AnswerSink& sink) = 0;
    /// What a server must have that does not speak version 2.
    virtual std::string_view requirement() const = 0;
};

std::unique_ptr<GitServer> over_https(const GitSource& source, const DownloadSettings& settings);
/// Of a source whose URL is one of ssh.
std::unique_ptr<GitServer> over_ssh(const GitSource& source, const DownloadSettings& settings);

}  // namespace left4me::builder
