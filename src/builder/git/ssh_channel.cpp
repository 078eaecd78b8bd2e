#include "builder/git/ssh_channel.hpp"

#include <fmt/format.h>
#include <libssh2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "adapters/files.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using std::chrono::steady_clock;

constexpr unsigned standard_port = 22;
/// What one call of libssh2 may read: it goes on while there is something, also if nobody has asked for it.
/// Until the program runs, and then.
constexpr std::size_t most_to_begin = 256U << 10U;
constexpr std::size_t most_to_receive = std::size_t{16} << 20U;
constexpr std::size_t most_key_bytes = 64U << 10U;
/// Whoever shows another key than those that are pinned is asked to show one of these all the same, to name
/// it.
constexpr const char* host_key_kinds =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521";

TransferResult ended(TransferEnd end, std::string message) { return {end, std::move(message), {}, false}; }
std::unexpected<TransferResult> refused(std::string message) {
    return std::unexpected(ended(TransferEnd::Refused, std::move(message)));
}

std::string base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

/// The kinds of keys that are asked for: those of the pinned ones first.
std::string wanted_kinds(const std::vector<std::string>& pinned) {
    std::string kinds;
    for (const std::string& key : pinned) kinds += key.substr(0, key.find(' ')) + ",";
    return kinds + host_key_kinds;
}

/// A text that is overwritten when it is not needed any more.
class Secret {
  public:
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

}  // namespace

class SshChannel::State {
  public:
    State(Connection connection, std::chrono::seconds connect)
        : connection_(std::move(connection)),
          session_(libssh2_session_init_ex(nullptr, nullptr, nullptr, this)),
          deadline_(steady_clock::now() + connect) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (session_ == nullptr) return;
        begin_call(std::chrono::seconds(1), most_to_begin);
        (void)libssh2_session_disconnect(session_, "");
        // What is not said by now is not said.
        (void)::shutdown(connection_.socket(), SHUT_RDWR);
        (void)libssh2_session_free(session_);
    }

    std::expected<void, TransferResult> greet(const SshPlace& place) {
        if (session_ == nullptr) return refused("libssh2 cannot be used");
        using Receive = ssize_t (*)(libssh2_socket_t, void*, std::size_t, int, void**);
        const Receive on_receive = &State::receive_bytes;
#if LIBSSH2_VERSION_NUM >= 0x010b01
        (void)libssh2_session_callback_set2(session_, LIBSSH2_CALLBACK_RECV,
                                            reinterpret_cast<libssh2_cb_generic*>(on_receive));
#else
        (void)libssh2_session_callback_set(session_, LIBSSH2_CALLBACK_RECV,
                                           reinterpret_cast<void*>(on_receive));
#endif
        // Of these, any is good enough. Without the list, the server would choose among old ones, too.
        prefer(LIBSSH2_METHOD_KEX,
               "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
               "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256");
        prefer(LIBSSH2_METHOD_HOSTKEY, wanted_kinds(place.host_keys).c_str());
        for (const int method : {LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC})
            prefer(method, "aes256-ctr,aes192-ctr,aes128-ctr");
        for (const int method : {LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC})
            prefer(method, "hmac-sha2-256,hmac-sha2-512");
        if (!usable_) return refused("this libssh2 lacks an algorithm that left4me needs");
        begin_call();
        if (libssh2_session_handshake(session_, connection_.socket()) != 0) {
            TransferResult failed = failure("the ssh handshake failed");
            if (libssh2_session_last_errno(session_) == LIBSSH2_ERROR_KEX_FAILURE)
                failed.message += "; the server must have an Ed25519 or ECDSA host key, and AES-CTR";
            return std::unexpected(std::move(failed));
        }
        return check_host_key(place.host_keys);
    }

    std::expected<void, TransferResult> log_in(const SshPlace& place) {
        const std::string user = place.url.user.empty() ? "git" : place.url.user;
        begin_call();
        const char* const listed =
            libssh2_userauth_list(session_, user.c_str(), static_cast<unsigned>(user.size()));
        if (listed == nullptr && libssh2_userauth_authenticated(session_) != 0) return {};  // without a key
        if (listed == nullptr) return std::unexpected(failure("cannot log in"));
        if (!std::string_view(listed).contains("publickey"))
            return refused("the server takes no keys; left4me cannot log in otherwise");
        const Secret key(read_key(place.key.file));
        if (key.text().find_first_not_of(" \t\r\n") == std::string::npos) {
            return refused(fmt::format(
                "the server asks for a key, and this overlay has none; as root: ssh-keygen -t ed25519 -N '' "
                "-f "
                "{0}; then add the line in {0}.pub to the repository, as a key that may only read",
                place.key.place));
        }
        begin_call();
        const int result = libssh2_userauth_publickey_frommemory(
            session_, user.c_str(), user.size(), nullptr, 0, key.text().c_str(), key.text().size(), nullptr);
        if (result == 0) return {};
        if (result == LIBSSH2_ERROR_AUTHENTICATION_FAILED || result == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
            return refused(fmt::format(
                "the server does not let user {} in with the key of this overlay; add the line in "
                "{}.pub to the repository, as a key that may only read",
                user, place.key.place));
        }
        constexpr std::array of_connection{LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
                                           LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_TIMEOUT,
                                           LIBSSH2_ERROR_TIMEOUT};
        if (std::find(of_connection.begin(), of_connection.end(), result) == of_connection.end()) {
            return refused(
                fmt::format("{0} is not a private key without a passphrase; as root: ssh-keygen -t "
                            "ed25519 -N '' -f {0}",
                            place.key.place));
        }
        return std::unexpected(failure("cannot log in"));
    }

    std::expected<void, TransferResult> run(const std::string& program) {
        begin_call();
        channel_ = libssh2_channel_open_session(session_);
        if (channel_ == nullptr) return std::unexpected(failure("the server did not run git-upload-pack"));
        // Servers refuse variables that they do not know; what the program says shows whether it has this
        // one.
        constexpr std::string_view name = "GIT_PROTOCOL";
        constexpr std::string_view value = "version=2";
        begin_call();
        const int set = libssh2_channel_setenv_ex(channel_, name.data(), static_cast<unsigned>(name.size()),
                                                  value.data(), static_cast<unsigned>(value.size()));
        if (set != 0 && set != LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
            return std::unexpected(failure("the server did not run git-upload-pack"));
        begin_call();
        if (libssh2_channel_exec(channel_, program.c_str()) != 0)
            return std::unexpected(failure("the server did not run git-upload-pack"));
        return {};
    }

    TransferResult send(std::string_view data, const TransferLimits& limits) {
        while (!data.empty()) {
            begin_call(limits.stalled);
            const ssize_t sent = libssh2_channel_write(channel_, data.data(), data.size());
            if (sent < 0) return failure("the server takes no question");
            data.remove_prefix(static_cast<std::size_t>(sent));
        }
        return ended(TransferEnd::Complete, "");
    }

    TransferResult receive(const TransferLimits& limits, const std::function<bool(std::string_view)>& write,
                           const std::function<bool()>& is_whole) {
        std::array<char, 1U << 16U> buffer{};
        auto begun = steady_clock::now();
        std::size_t lately = 0;
        std::uint64_t all = 0;
        while (!is_whole()) {
            begin_call(limits.stalled);
            const ssize_t got = libssh2_channel_read(channel_, buffer.data(), buffer.size());
            if (got < 0) return failure("the connection broke");
            if (got == 0) return early_end();
            const std::string_view data(buffer.data(), static_cast<std::size_t>(got));
            all += data.size();
            if (all > limits.bytes) {
                return ended(TransferEnd::Refused, fmt::format("the server sends more than {} bytes; {}",
                                                               limits.bytes, limits.remedy));
            }
            if (!write(data)) return ended(TransferEnd::OwnError, "");
            lately += data.size();
            const auto now = steady_clock::now();
            if (now - begun < limits.stalled) continue;
            constexpr std::size_t least_in_a_second = 1024;
            if (lately < least_in_a_second * static_cast<std::size_t>(limits.stalled.count()))
                return ended(TransferEnd::Interrupted, "the transfer stalled: less than 1 KiB/s");
            begun = now;
            lately = 0;
        }
        return ended(TransferEnd::Complete, "");
    }

  private:
    void prefer(int method, const char* names) {
        usable_ = usable_ && libssh2_session_method_pref(session_, method, names) == 0;
    }

    /// Of a call of libssh2 until the connection is made.
    void begin_call() {
        using std::chrono::milliseconds;
        const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
        begin_call(std::max(left, milliseconds(1)), most_to_begin);
    }
    void begin_call(std::chrono::milliseconds patience, std::size_t most = most_to_receive) {
        may_read_ = most;
        if (session_ != nullptr) libssh2_session_set_timeout(session_, static_cast<long>(patience.count()));
    }

    static ssize_t receive_bytes(libssh2_socket_t socket, void* buffer, std::size_t size, int flags,
                                 void** self) {
        State& state = *static_cast<State*>(*self);
        if (state.may_read_ == 0) return -EMSGSIZE;
        const ssize_t got = ::recv(socket, buffer, std::min(size, state.may_read_), flags);
        if (got < 0) return errno == EINTR ? -EAGAIN : -errno;
        state.may_read_ -= static_cast<std::size_t>(got);
        return got;
    }

    /// Why the last call of libssh2 has failed.
    TransferResult failure(std::string_view what) const {
        char* text = nullptr;
        const int error = libssh2_session_last_error(session_, &text, nullptr, 0);
        if (may_read_ == 0)
            return ended(TransferEnd::Interrupted, "what the server says does not end, and is no answer");
        if (error == LIBSSH2_ERROR_TIMEOUT || error == LIBSSH2_ERROR_SOCKET_TIMEOUT)
            return ended(TransferEnd::Interrupted, "the transfer stalled");
        return ended(TransferEnd::Interrupted,
                     fmt::format("{}: {}", what, printable_line(text == nullptr ? "" : text)));
    }

    std::expected<void, TransferResult> check_host_key(const std::vector<std::string>& pinned) const {
        std::size_t size = 0;
        int type = 0;
        const char* const blob = libssh2_session_hostkey(session_, &size, &type);
        const char* const kind = libssh2_session_methods(session_, LIBSSH2_METHOD_HOSTKEY);
        const char* const hash = libssh2_hostkey_hash(session_, LIBSSH2_HOSTKEY_HASH_SHA256);
        if (blob == nullptr || kind == nullptr || hash == nullptr) return refused("it shows no host key");
        const std::string key = fmt::format("{} {}", kind, base64({blob, size}));
        if (std::find(pinned.begin(), pinned.end(), key) != pinned.end()) return {};
        constexpr std::size_t hash_size = 32;
        std::string print = base64({hash, hash_size});
        while (print.ends_with('=')) print.pop_back();
        return refused(fmt::format(
            "the server's host key is not in `hostKeys`: SHA256:{}; either the "
            "server has a new one or somebody is in between; if its owner publishes this one, add "
            "\"{}\" to `hostKeys`",
            print, key));
    }

    /// Empty: there is none.
    static std::string read_key(const std::string& file) {
        auto text = left4me::read_file(file, most_key_bytes);
        return text ? std::move(*text) : "";
    }

    /// The program has ended; what it complained of tells why.
    TransferResult early_end() {
        std::array<char, 200> buffer{};
        begin_call(std::chrono::seconds(1));
        const ssize_t got = libssh2_channel_read_stderr(channel_, buffer.data(), buffer.size());
        std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
        if (text.empty()) return ended(TransferEnd::Interrupted, "the connection ended too early");
        return ended(TransferEnd::Refused, fmt::format("the server says: {}", printable_line(text)));
    }

    Connection connection_;
    LIBSSH2_SESSION* session_;
    LIBSSH2_CHANNEL* channel_ = nullptr;  ///< the session's
    steady_clock::time_point deadline_;   ///< for all until the program runs
    std::size_t may_read_ = 0;            ///< bytes, until the next begin_call()
    bool usable_ = true;
};

SshChannel::SshChannel(std::unique_ptr<State> state) : state_(std::move(state)) {}
SshChannel::~SshChannel() = default;

std::expected<std::unique_ptr<SshChannel>, TransferResult> SshChannel::open(const SshPlace& place,
                                                                            const std::string& program,
                                                                            const TransferLimits& limits) {
    const unsigned port = place.url.port == 0 ? standard_port : place.url.port;
    auto connection = Connection::open(place.url.host, port, place.private_networks, limits);
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto state = std::make_unique<State>(std::move(*connection), limits.connect);
    if (auto greeted = state->greet(place); !greeted) return std::unexpected(std::move(greeted.error()));
    if (auto in = state->log_in(place); !in) return std::unexpected(std::move(in.error()));
    if (auto runs = state->run(program); !runs) return std::unexpected(std::move(runs.error()));
    return std::unique_ptr<SshChannel>(new SshChannel(std::move(state)));
}

TransferResult SshChannel::send(std::string_view data, const TransferLimits& limits) {
    return state_->send(data, limits);
}

TransferResult SshChannel::receive(const TransferLimits& limits,
                                   const std::function<bool(std::string_view)>& write,
                                   const std::function<bool()>& is_whole) {
    return state_->receive(limits, write, is_whole);
}

}  // namespace left4me::builder
