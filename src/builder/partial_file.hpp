#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "builder/host_pauses.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/transfer.hpp"

namespace left4me::builder {

/// Of one overlay, for a server that is reached over ssh.
struct DeployKey {
    std::string file;   ///< missing or empty: this overlay has none
    std::string place;  ///< where root puts it, for messages
};

/// How patient a download is. The defaults are those of the unit; tests have less time.
struct DownloadSettings {
    std::string ca_file;  ///< as TransferRequest::ca_file
    std::string steam_api = "https://api.steampowered.com";
    DeployKey deploy_key;
    TransferLimits limits;
    /// Between two tries; doubled each time.
    std::chrono::milliseconds wait{1000};
    /// A server that asks for a longer one is not waited for here: l4d2d tries again later.
    std::chrono::seconds longest_wait{120};
    /// In a row that bring nothing, for each URL.
    unsigned tries = 5;
};

/// What the files of one source have in common.
struct Downloads {
    const DownloadSettings& settings;
    std::vector<Network> private_networks;  ///< as TransferRequest::private_networks
    Progress& progress;
    std::string input;  ///< of the source
    /// Of those at the same time: the first that fails stops the others.
    std::stop_source stop = {};
    std::shared_ptr<HostPauses> pauses = std::make_shared<HostPauses>();
};

/// As ArchiveSource::private_networks; what is no network is left out.
std::vector<Network> parse_networks(const std::vector<std::string>& texts);

/// A file in `.build/download` that comes over https, in several parts if it must. What is there survives
/// kills and failed builds, and is continued if the server says that its file is still the same (If-Range).
/// Its content is not to be trusted: the user of this class checks it, and calls discard() if it is wrong.
class PartialFile {
  public:
    /// `name`: a plain one. `identity`: one line that says which file is wanted, e.g. a digest; what was
    /// downloaded for another one is never continued.
    static Built<PartialFile> open(int build_directory, const std::string& name, std::string identity);

    /// Downloads what is not there yet. `form`: as TransferRequest::post. Returns what is wrong with the
    /// server, with the URL (empty: all is there), or an error of our own.
    Built<std::string> download(const std::string& url, const TransferLimits& limits,
                                const Downloads& downloads, const std::string& form = {});

    /// Downloads what is not there yet, and has `verify` check the whole. If that refuses a file that came in
    /// several parts, they may be of two files: it is downloaded once more, in one. What came in one part is
    /// kept even then, so that another try later asks only whether the server has something else by now.
    /// Errors of the server, and of what it sent, name the URL.
    Built<void> fetch(const std::string& url, const TransferLimits& limits, const Downloads& downloads,
                      const std::function<Built<void>()>& verify);

    /// What is there was downloaded for this identity.
    bool is_wanted() const { return origin_.identity == identity_; }
    /// What is there came in more than one answer: it may be of two different files.
    bool is_patched() const { return origin_.parts > 1; }
    /// The last answer said that it is HTML.
    bool is_web_page() const { return web_page_; }

    std::uint64_t bytes() const;
    /// For reading and writing.
    int fd() const { return file_.get(); }
    /// Whoever parses it must not be able to write to it.
    Built<Fd> read_only() const;
    /// Makes it empty, and part of nothing.
    Built<void> discard();

  private:
    /// What the data are a part of.
    struct Origin {
        std::string identity;
        std::string url;
        std::string validator;    ///< empty: the rest cannot be asked for
        std::uint64_t total = 0;  ///< of the whole file; 0: unknown
        std::uint64_t parts = 0;  ///< answers that the data came in
    };

    PartialFile(Fd directory, std::string name, std::string identity)
        : directory_(std::move(directory)), name_(std::move(name)), identity_(std::move(identity)) {}
    Origin read_origin() const;
    Built<void> write_origin() const;
    Built<void> empty();
    TransferResult attempt(const std::string& url, const std::string& form, const TransferLimits& limits,
                           const Downloads& downloads);
    Built<void> begin(Origin origin, std::uint64_t offset, const Downloads& downloads);
    bool write(std::string_view data, Progress& progress);

    Fd directory_;
    std::string name_;
    std::string identity_;
    Fd file_;
    Origin origin_;
    bool web_page_ = false;
    std::uint64_t at_ = 0;  ///< where the next data go
    std::optional<BuildError> own_error_;
};

}  // namespace left4me::builder
