#include "adapters/git/fetch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <span>
#include <system_error>

#include "adapters/child.hpp"
#include "adapters/files.hpp"
#include "adapters/git/known_hosts.hpp"
#include "adapters/git/library.hpp"
#include "specs/remote_url.hpp"

namespace left4me::git {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_received = std::size_t{256} << 20U;
constexpr std::chrono::minutes max_time{5};
constexpr std::chrono::minutes max_timeout{6};
constexpr std::size_t max_key_file = std::size_t{1} << 20U;

/// The state of one fetch, shared with its callbacks.
struct Fetch {
    const GitSettings& settings;
    RemoteUrl url;
    std::string known_hosts;
    std::string token;
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + max_time;
    bool asked = false;   ///< for credentials
    std::string refusal;  ///< our own message, if we stopped the fetch
};

int refuse(Fetch& fetch, std::string why) {
    fetch.refusal = std::move(why);
    return GIT_EUSER;
}

int on_credentials(git_credential** out, const char* /*url*/, const char* user, unsigned allowed,
                   void* payload) {
    auto& fetch = *static_cast<Fetch*>(payload);
    const std::string name = user != nullptr ? user : fetch.url.user.empty() ? "git" : fetch.url.user;
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, name.c_str());
    // The server asks again if it refused the first answer, without end.
    if (fetch.asked) {
        return refuse(
            fetch, fmt::format("the server does not accept {} of user {}",
                               fetch.settings.key.empty() ? "a visit" : fetch.settings.key.string(), name));
    }
    fetch.asked = true;
    if (fetch.settings.key.empty()) {
        return refuse(fetch, "the server asks for credentials; set source.git.key");
    }
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0) {
        return git_credential_ssh_key_new(out, name.c_str(), nullptr, fetch.settings.key.c_str(), nullptr);
    }
    if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && fetch.url.scheme == RemoteUrl::Scheme::Https) {
        return git_credential_userpass_plaintext_new(out, name.c_str(), fetch.token.c_str());
    }
    return refuse(fetch, "the server requires an authentication method that left4me does not support");
}

int check_host_key(Fetch& fetch, const git_cert_hostkey& cert) {
    if ((cert.type & GIT_CERT_SSH_RAW) == 0) return refuse(fetch, "the server's host key cannot be read");
    const std::string_view key(cert.hostkey, cert.hostkey_len);
    const std::string& file = fetch.settings.known_hosts.string();
    const unsigned port = fetch.url.port;
    const std::string scan =
        fmt::format("ssh-keyscan {}{}", port == 0 ? "" : fmt::format("-p {} ", port), fetch.url.host);
    switch (look_up_host_key(fetch.known_hosts, fetch.url.host, port, key)) {
        case HostKey::Known:
            return 0;
        case HostKey::UnknownHost:
            return refuse(
                fetch, fmt::format("{} does not name {}; {} prints its keys; ask its owner to confirm them",
                                   file, fetch.url.host, scan));
        case HostKey::Other:
            return refuse(fetch, fmt::format("{} has another host key than {} shows: possibly a man in the "
                                             "middle, or the key was changed ({} prints the current ones)",
                                             file, fetch.url.host, scan));
        case HostKey::Revoked:
            return refuse(fetch, fmt::format("{} revokes the host key of {}", file, fetch.url.host));
    }
    return GIT_ECERTIFICATE;
}

int on_certificate(git_cert* cert, int valid, const char* host, void* payload) {
    auto& fetch = *static_cast<Fetch*>(payload);
    if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
        return check_host_key(fetch, *reinterpret_cast<const git_cert_hostkey*>(cert));
    }
    if (valid == 1) return 0;
    return refuse(
        fetch,
        fmt::format("the certificate of {} is not valid: no authority that this host trusts has signed "
                    "it for that name and day",
                    host));
}

int on_progress(const git_indexer_progress* progress, void* payload) {
    auto& fetch = *static_cast<Fetch*>(payload);
    if (progress->received_bytes > max_received) {
        return refuse(fetch, fmt::format("the repository is larger than {} MiB", max_received >> 20U));
    }
    if (std::chrono::steady_clock::now() > fetch.deadline) {
        return refuse(fetch, fmt::format("it takes longer than {} minutes", max_time.count()));
    }
    return 0;
}

int on_sideband(const char* /*text*/, int /*length*/, void* payload) {
    auto& fetch = *static_cast<Fetch*>(payload);
    return std::chrono::steady_clock::now() > fetch.deadline ? refuse(fetch, "it takes too long") : 0;
}

void set_timeouts() {
#if LIBGIT2_VER_MAJOR > 1 || LIBGIT2_VER_MINOR >= 7
    git_libgit2_opts(GIT_OPT_SET_SERVER_CONNECT_TIMEOUT, 20'000);
    git_libgit2_opts(GIT_OPT_SET_SERVER_TIMEOUT, 60'000);
#endif
}

/// libgit2 reads ~/.ssh/known_hosts itself and asks the server for a key type listed there. We want this, but
/// with our file; we decide which keys are trusted. Removed with this object.
class Home {
  public:
    Home() = default;
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;
    ~Home() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }

    std::expected<void, std::string> make(const std::string& known_hosts) {
        std::string name = (fs::temp_directory_path() / "left4me-fetch-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) return std::unexpected(errno_message(name, errno));
        path_ = name;
        std::error_code failed;
        fs::create_directory(path_ / ".ssh", failed);
        if (failed) return std::unexpected(errno_message(path_ / ".ssh", failed.value()));
        if (auto written = write_file(path_ / ".ssh/known_hosts", plain_known_hosts(known_hosts)); !written)
            return written;
        // libgit2 reads the environment once, when it starts. This process only fetches.
        ::setenv("HOME", path_.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
        return {};
    }

  private:
    fs::path path_;
};

std::expected<Owned<git_repository>, std::string> open_or_make(const fs::path& path) {
    std::error_code ignored;
    if (fs::exists(path, ignored) && !fs::is_empty(path, ignored)) return open_repository(path);
    use_library();
    Owned<git_repository> repository;
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR;
    const int result = take(repository, [&](git_repository** out) {
        return git_repository_init_ext(out, path.c_str(), &options);
    });
    if (result != 0) return std::unexpected(fmt::format("{}: {}", path.string(), last_error()));
    return repository;
}

std::expected<void, std::string> read_secrets(Fetch& fetch) {
    const GitSettings& settings = fetch.settings;
    if (fetch.url.scheme == RemoteUrl::Scheme::Ssh) {
        auto text = read_file(settings.known_hosts, max_key_file);
        if (!text) return std::unexpected(text.error());
        fetch.known_hosts = std::move(*text);
    }
    if (!settings.key.empty()) {
        auto text = read_file(settings.key, max_key_file);
        if (!text) return std::unexpected(text.error());
        fetch.token = text->substr(0, text->find_first_of("\r\n"));
    }
    return {};
}

git_fetch_options options_of(Fetch& fetch) {
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.callbacks.credentials = on_credentials;
    options.callbacks.certificate_check = on_certificate;
    options.callbacks.transfer_progress = on_progress;
    options.callbacks.sideband_progress = on_sideband;
    options.callbacks.payload = &fetch;
    options.update_fetchhead = 0;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.prune = GIT_FETCH_NO_PRUNE;
    // Whoever moves a repository tells its users; the server must not decide where we go.
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    return options;
}

bool offers(git_remote* remote, const std::string& name) {
    const git_remote_head** heads = nullptr;
    std::size_t count = 0;
    if (git_remote_ls(&heads, &count, remote) != 0) return false;
    const std::span all(heads, count);
    return std::any_of(all.begin(), all.end(),
                       [&name](const git_remote_head* head) { return head->name == name; });
}

}  // namespace

std::expected<void, std::string> fetch_apart(const GitSettings& settings, const fs::path& program) {
    const std::string path = program.empty() ? LEFT4ME_FETCH : program.string();
    const auto ended = run_child({path, settings.repository.string(), settings.branch, settings.remote,
                                  settings.key.string(), settings.known_hosts.string()},
                                 Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), Fd(), max_timeout);
    if (!ended) return std::unexpected(fmt::format("{}: {}", settings.remote, ended.error()));
    if (ended->code == 0) return {};
    std::string said = ended->output;
    while (said.ends_with('\n')) said.pop_back();
    if (ended->code > 128)
        said = fmt::format("{}: the fetch was ended by signal {}", settings.remote, ended->code - 128);
    return std::unexpected(std::move(said));
}

std::string tracking_reference(const GitSettings& settings) {
    return "refs/remotes/origin/" + settings.branch;
}

std::expected<void, std::string> fetch_remote(const GitSettings& settings) {
    const auto url = parse_remote_url(settings.remote);
    if (!url) return std::unexpected(settings.remote + ": not a URL that left4me can fetch from");
    Fetch fetch{.settings = settings, .url = *url, .known_hosts = {}, .token = {}, .refusal = {}};
    if (auto read = read_secrets(fetch); !read) return read;
    Home home;
    if (url->scheme == RemoteUrl::Scheme::Ssh) {
        if (auto made = home.make(fetch.known_hosts); !made) return made;
    }
    const auto repository = open_or_make(settings.repository);
    if (!repository) return std::unexpected(repository.error());
    set_timeouts();

    git_remote_create_options create = GIT_REMOTE_CREATE_OPTIONS_INIT;
    create.repository = repository->get();
    create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
    Owned<git_remote> remote;
    const int made = take(remote, [&](git_remote** out) {
        return git_remote_create_with_opts(out, settings.remote.c_str(), &create);
    });
    if (made != 0) return std::unexpected(fmt::format("{}: {}", settings.remote, last_error()));
    const std::string branch = "refs/heads/" + settings.branch;
    std::string specification = fmt::format("+{}:{}", branch, tracking_reference(settings));
    std::array<char*, 1> texts{specification.data()};
    const git_strarray specifications{texts.data(), texts.size()};
    const git_fetch_options options = options_of(fetch);
    const int fetched = git_remote_fetch(remote.get(), &specifications, &options, "fetch");
    if (fetched != 0) {
        return std::unexpected(
            fmt::format("{}: {}", settings.remote, fetch.refusal.empty() ? last_error() : fetch.refusal));
    }
    if (!offers(remote.get(), branch)) {
        return std::unexpected(fmt::format("{}: has no branch {}", settings.remote, settings.branch));
    }
    return {};
}

}  // namespace left4me::git
