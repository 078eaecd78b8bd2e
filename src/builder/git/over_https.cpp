#include <utility>
#include <vector>

#include "builder/git/git_server.hpp"

namespace left4me::builder {

namespace {

constexpr std::string_view advertisement = "/info/refs?service=git-upload-pack";

/// gitprotocol-http(5).
class OverHttps : public GitServer {
  public:
    OverHttps(const GitSource& source, const DownloadSettings& settings)
        : url_(source.url), settings_(settings), networks_(parse_networks(source.private_networks)) {}

    TransferResult introduce(const TransferLimits& limits, const AnswerSink& sink) override {
        TransferResult result = send(request(url_ + std::string(advertisement), limits), sink);
        if (result.end != TransferEnd::Complete) return result;
        // The repository may have moved; what follows goes to where it is now.
        base_ = result.url;
        if (!base_.ends_with(advertisement)) {
            result.end = TransferEnd::Refused;
            result.message = "it leads to " + base_ + ", which is no git server";
            return result;
        }
        base_.resize(base_.size() - advertisement.size());
        return result;
    }

    TransferResult ask(const std::string& command, const TransferLimits& limits,
                       const AnswerSink& sink) override {
        TransferRequest post = request(base_ + "/git-upload-pack", limits);
        post.post = command;
        post.headers.emplace_back("Content-Type: application/x-git-upload-pack-request");
        post.headers.emplace_back("Accept: application/x-git-upload-pack-result");
        return send(post, sink);
    }

    std::string_view requirement() const override {
        return "`url` is what `git clone` takes, and the server must speak version 2 of git's protocol (git "
               "2.18)";
    }

  private:
    TransferRequest request(const std::string& url, const TransferLimits& limits) const {
        TransferRequest request{url, 0, "", settings_.ca_file, networks_, limits};
        request.headers = {"Git-Protocol: version=2"};
        return request;
    }

    static TransferResult send(const TransferRequest& request, const AnswerSink& answer) {
        TransferSink sink;
        sink.begin = [&](std::uint64_t, std::uint64_t, const std::string&) { return answer.begin(); };
        sink.write = answer.write;
        TransferResult result = transfer(request, sink);
        constexpr long unauthorized = 401;
        constexpr long forbidden = 403;
        constexpr long not_found = 404;
        if (result.status == unauthorized || result.status == forbidden || result.status == not_found) {
            result.message +=
                ": it has no such repository, or one that needs a login; left4me logs in over ssh only: "
                "correct `url`";
        }
        return result;
    }

    std::string url_;
    const DownloadSettings& settings_;
    std::vector<Network> networks_;
    std::string base_;  ///< of the repository's URLs
};

}  // namespace

std::unique_ptr<GitServer> over_https(const GitSource& source, const DownloadSettings& settings) {
    return std::make_unique<OverHttps>(source, settings);
}

}  // namespace left4me::builder
