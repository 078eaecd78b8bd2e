#include <optional>
#include <utility>

#include "builder/git/git_server.hpp"
#include "builder/git/packets.hpp"
#include "builder/git/ssh_channel.hpp"

namespace left4me::builder {

namespace {

/// One word for the shell of a server.
std::string quoted(std::string_view text) {
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'' || c == '!') {
            word.append("'\\").append(1, c).append("'");
        } else {
            word += c;
        }
    }
    return word += '\'';
}

/// What runs on the server, as git(1) itself asks for it.
std::string program_for(const RemoteUrl& url, bool scheme) {
    std::string_view path = url.path;
    if (scheme && path.starts_with("/~")) path.remove_prefix(1);
    return "git-upload-pack " + quoted(path);
}

/// All commands of one connection, which is made again after any error.
class OverSsh : public GitServer {
  public:
    OverSsh(const GitSource& source, const DownloadSettings& settings)
        : place_{parse_remote_url(source.url).value_or(RemoteUrl{}), source.host_keys, settings.deploy_key,
                 parse_networks(source.private_networks)},
          program_(program_for(place_.url, source.url.starts_with("ssh://"))) {}

    TransferResult introduce(const TransferLimits& limits, const AnswerSink& sink) override {
        channel_.reset();
        return connect(limits, sink);
    }

    TransferResult ask(const std::string& command, const TransferLimits& limits,
                       const AnswerSink& sink) override {
        if (!channel_) {
            // What it can do is known.
            PacketReader reader;
            bool whole = false;
            const AnswerSink nowhere{[] { return true; },
                                     [&](std::string_view data) {
                                         return reader.add(data, [&](const Packet& packet) {
                                             whole = packet.kind == Packet::Kind::Flush;
                                             return true;
                                         });
                                     },
                                     [&] { return whole; }};
            if (TransferResult failed = connect(limits, nowhere); failed.end != TransferEnd::Complete)
                return failed;
        }
        TransferResult sent = channel_->send(command, limits);
        return sent.end == TransferEnd::Complete ? receive(limits, sink) : drop(std::move(sent));
    }

    std::string_view requirement() const override {
        return "the server must speak version 2 of git's protocol: git 2.18, and, unless it is a hosting "
               "service, `AcceptEnv GIT_PROTOCOL` in its sshd_config";
    }

  private:
    TransferResult connect(const TransferLimits& limits, const AnswerSink& sink) {
        auto channel = SshChannel::open(place_, program_, limits);
        if (!channel) return std::move(channel.error());
        channel_ = std::move(*channel);
        return receive(limits, sink);
    }

    TransferResult receive(const TransferLimits& limits, const AnswerSink& sink) {
        if (!sink.begin()) return drop({TransferEnd::OwnError, "", {}, false});
        TransferResult result = channel_->receive(limits, sink.write, sink.is_whole);
        return result.end == TransferEnd::Complete ? result : drop(std::move(result));
    }

    TransferResult drop(TransferResult result) {
        channel_.reset();
        return result;
    }

    SshPlace place_;
    std::string program_;
    std::unique_ptr<SshChannel> channel_;
};

}  // namespace

std::unique_ptr<GitServer> over_ssh(const GitSource& source, const DownloadSettings& settings) {
    return std::make_unique<OverSsh>(source, settings);
}

}  // namespace left4me::builder
