#include "builder/transfer.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "specs/text.hpp"

namespace left4me::builder {

namespace {

struct Free {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

constexpr long max_redirects = 5;
constexpr long ok = 200;
constexpr long partial = 206;
constexpr long not_satisfiable = 416;

bool is_temporary(long status) {
    constexpr std::array temporary{408L, 425L, 429L, 500L, 502L, 503L, 504L};
    return std::find(temporary.begin(), temporary.end(), status) != temporary.end();
}

/// The value of a header `name: value`; empty if it is another one.
std::string_view value_of(std::string_view header, std::string_view name) {
    if (header.size() <= name.size() || header[name.size()] != ':') return {};
    const bool same = std::equal(name.begin(), name.end(), header.begin(), [](char a, char b) {
        return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
    });
    if (!same) return {};
    header.remove_prefix(name.size() + 1);
    while (header.starts_with(' ')) header.remove_prefix(1);
    while (header.ends_with('\r') || header.ends_with('\n') || header.ends_with(' ')) header.remove_suffix(1);
    return header;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc() || end != text.end()) return std::nullopt;
    return value;
}

/// `bytes FIRST-LAST/TOTAL`, RFC 9110, 14.4.
struct ContentRange {
    std::uint64_t first = 0;
    std::uint64_t total = 0;
};
std::optional<ContentRange> parse_range(std::string_view text) {
    constexpr std::string_view unit = "bytes ";
    const std::size_t dash = text.find('-');
    const std::size_t slash = text.find('/');
    if (!text.starts_with(unit) || dash == std::string_view::npos || slash == std::string_view::npos ||
        slash < dash)
        return std::nullopt;
    const auto first = number(text.substr(unit.size(), dash - unit.size()));
    if (!first) return std::nullopt;
    return ContentRange{*first, number(text.substr(slash + 1)).value_or(0)};
}

class Transfer {
  public:
    Transfer(const TransferRequest& request, const TransferSink& sink)
        : request_(request), sink_(sink), curl_(curl_easy_init()) {}
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    TransferResult run() {
        if (!curl_) return unusable("libcurl cannot be used");
        set_options();
        if (!usable_) return unusable(lacking);
        const CURLcode code = curl_easy_perform(curl_.get());
        long status = 0;
        (void)curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
        TransferResult result = judge(code, status);
        curl_off_t seconds = 0;
        if (curl_easy_getinfo(curl_.get(), CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
            result.retry_after = std::chrono::seconds(seconds);
        result.web_page = web_page_;
        result.status = status;
        const char* url = nullptr;
        if (curl_easy_getinfo(curl_.get(), CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK && url != nullptr)
            result.url = url;
        return result;
    }

    /// Connects to the host of the URL, and says nothing to it. The result owns the socket.
    std::expected<std::shared_ptr<void>, TransferResult> connect(curl_socket_t& socket) {
        if (!curl_) return std::unexpected(unusable("libcurl cannot be used"));
        set_options();
        set(CURLOPT_PROTOCOLS_STR, "http");  // without TLS
        set(CURLOPT_CONNECT_ONLY, 1L);
        if (!usable_) return std::unexpected(unusable(lacking));
        if (const CURLcode code = curl_easy_perform(curl_.get()); code != CURLE_OK)
            return std::unexpected(judge(code, 0));
        if (curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK)
            return std::unexpected(unusable(lacking));
        set<char*>(CURLOPT_ERRORBUFFER, nullptr);  // it is this object's
        return std::shared_ptr<void>(curl_.release(), Free{});
    }

  private:
    static constexpr const char* lacking = "this libcurl lacks a setting that left4me needs";
    static TransferResult unusable(const char* why) { return {TransferEnd::OwnError, why, {}, false}; }

    template <typename Value>
    void set(CURLoption option, Value value) {
        usable_ = usable_ && curl_easy_setopt(curl_.get(), option, value) == CURLE_OK;
    }

    void set_options() {
        set(CURLOPT_URL, request_.url.c_str());
        set(CURLOPT_PROTOCOLS_STR, "https");
        set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
        // A redirect would make a GET of a POST.
        set(CURLOPT_FOLLOWLOCATION, request_.post ? 0L : 1L);
        set(CURLOPT_MAXREDIRS, max_redirects);
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_SSL_VERIFYPEER, 1L);
        set(CURLOPT_SSL_VERIFYHOST, 2L);
        if (!request_.ca_file.empty()) {
            set(CURLOPT_CAINFO, request_.ca_file.c_str());
            set<const char*>(CURLOPT_CAPATH, nullptr);
        }
        // A proxy would connect in our place, and to any address.
        set(CURLOPT_PROXY, "");
        set(CURLOPT_NOPROXY, "*");
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_FAILONERROR, 1L);
        set(CURLOPT_USERAGENT, "left4me");
        set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request_.limits.connect.count()));
        set(CURLOPT_LOW_SPEED_LIMIT, 1024L);
        set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.limits.stalled.count()));
        set(CURLOPT_BUFFERSIZE, 256L * 1024);
        set(CURLOPT_ERRORBUFFER, error_.data());
        if (request_.offset > 0 && !request_.validator.empty()) {
            add_header(fmt::format("Range: bytes={}-", request_.offset));
            add_header("If-Range: " + request_.validator);
        }
        for (const std::string& header : request_.headers) add_header(header);
        if (request_.post) {
            set(CURLOPT_POST, 1L);
            set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.post->size()));
            set(CURLOPT_POSTFIELDS, request_.post->c_str());
        }
        if (headers_) set(CURLOPT_HTTPHEADER, headers_.get());
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &Transfer::shall_stop);
        set(CURLOPT_XFERINFODATA, this);
        set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
        set(CURLOPT_OPENSOCKETDATA, this);
        set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
        set(CURLOPT_HEADERDATA, this);
        set(CURLOPT_WRITEFUNCTION, &Transfer::on_data);
        set(CURLOPT_WRITEDATA, this);
    }

    void add_header(const std::string& header) {
        curl_slist* const longer = curl_slist_append(headers_.get(), header.c_str());
        if (longer == nullptr) return;
        (void)headers_.release();
        headers_.reset(longer);
    }

    /// The address is the one that is connected to: whatever DNS says later, or said before, does not matter.
    static curl_socket_t open_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
        auto& transfer = *static_cast<Transfer*>(self);
        const sockaddr& to = address->addr;
        const auto& allowed = transfer.request_.private_networks;
        const bool may =
            is_public(to) || std::any_of(allowed.begin(), allowed.end(),
                                         [&to](const Network& network) { return network.contains(to); });
        if (!may) {
            transfer.refused_ = address_text(to);
            return CURL_SOCKET_BAD;
        }
        transfer.tried_ = true;
        return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    }

    /// Called often, and at least once a second.
    static int shall_stop(void* self, curl_off_t /*size*/, curl_off_t /*received*/, curl_off_t /*to_send*/,
                          curl_off_t /*sent*/) {
        return static_cast<Transfer*>(self)->request_.stop.stop_requested() ? 1 : 0;
    }

    static std::size_t on_header(char* text, std::size_t size, std::size_t count, void* self) {
        static_cast<Transfer*>(self)->header({text, size * count});
        return size * count;
    }

    void header(std::string_view line) {
        if (line.starts_with("HTTP/")) {  // of the next answer, after a redirect
            etag_.clear();
            date_.clear();
            range_.reset();
            web_page_ = false;
            refused_.clear();
            tried_ = false;
        }
        if (const auto value = value_of(line, "etag"); !value.empty()) etag_ = value;
        if (const auto value = value_of(line, "last-modified"); !value.empty()) date_ = value;
        if (const auto value = value_of(line, "content-range"); !value.empty()) range_ = parse_range(value);
        if (value_of(line, "content-type").starts_with("text/html")) web_page_ = true;
    }

    static std::size_t on_data(char* data, std::size_t size, std::size_t count, void* self) {
        return static_cast<Transfer*>(self)->data({data, size * count}) ? size * count : 0;
    }

    /// Only a strong validator will do, RFC 9110, 13.1.5.
    std::string validator() const { return etag_.empty() || etag_.starts_with("W/") ? date_ : etag_; }

    bool begin() {
        long status = 0;
        (void)curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
        curl_off_t length = -1;
        (void)curl_easy_getinfo(curl_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        std::uint64_t total = length > 0 ? static_cast<std::uint64_t>(length) : 0;
        if (status == partial) {
            if (!range_ || range_->first != request_.offset)
                return stop(TransferEnd::Stale, "the server sent a part that was not asked for");
            at_ = request_.offset;
            total = range_->total != 0 ? range_->total : total == 0 ? 0 : total + at_;
        } else if (status != ok) {
            return stop(TransferEnd::Refused, fmt::format("the server answered with status {}", status));
        }
        if (total > request_.limits.bytes) return too_large();
        begun_ = true;
        total_ = total;
        return sink_.begin(at_, total, validator()) || stop(TransferEnd::OwnError, "");
    }

    bool data(std::string_view bytes) {
        if (!begun_ && !begin()) return false;
        at_ += bytes.size();
        if (at_ > request_.limits.bytes) return too_large();
        return sink_.write(bytes) || stop(TransferEnd::OwnError, "");
    }

    bool too_large() {
        return stop(TransferEnd::Refused, fmt::format("the file has more than {} bytes; {}",
                                                      request_.limits.bytes, request_.limits.remedy));
    }

    bool stop(TransferEnd end, std::string message) {
        stopped_ = TransferResult{end, std::move(message), {}, false};
        return false;
    }

    TransferResult judge(CURLcode code, long status) {
        if (stopped_) return *stopped_;
        const std::string error(printable_line(error_.data()));
        const auto result = [](TransferEnd end, std::string message) {
            return TransferResult{end, std::move(message), {}, false};
        };
        const std::string said = error.empty() ? curl_easy_strerror(code) : error;
        switch (code) {
            case CURLE_OK:
                // An empty file has no data.
                if (!begun_ && !begin()) return *stopped_;
                if (at_ < total_) return result(TransferEnd::Interrupted, "the server sent only a part");
                return result(TransferEnd::Complete, "");
            case CURLE_HTTP_RETURNED_ERROR:
                if (status == not_satisfiable)
                    return result(TransferEnd::NothingMore,
                                  "the server's file ends before what is here already");
                return result(is_temporary(status) ? TransferEnd::Interrupted : TransferEnd::Refused,
                              fmt::format("the server answered with status {}", status));
            case CURLE_COULDNT_CONNECT:
                if (refused_.empty() || tried_) return result(TransferEnd::Interrupted, said);
                return result(
                    TransferEnd::Refused,
                    fmt::format("{} is not a public address; if it is a mirror of yours, add its network to "
                                "downloads.allowPrivate in /etc/left4me/config.yaml",
                                refused_));
            case CURLE_TOO_MANY_REDIRECTS:
                return result(TransferEnd::Refused, fmt::format("more than {} redirects", max_redirects));
            case CURLE_UNSUPPORTED_PROTOCOL:
                return result(TransferEnd::Refused, "it leads to something that is not https: " + said);
            case CURLE_URL_MALFORMAT:
                return result(TransferEnd::Refused,
                              "it is not a valid URL, or leads to one that is not: " + said);
            case CURLE_PEER_FAILED_VERIFICATION:
                return result(
                    TransferEnd::Refused,
                    fmt::format("the server's certificate is not valid ({}); a CA of your own belongs "
                                "in /usr/local/share/ca-certificates, then run "
                                "update-ca-certificates",
                                said));
            case CURLE_SSL_CACERT_BADFILE:
                return result(TransferEnd::Refused,
                              "this host has no CA certificates; install ca-certificates");
            case CURLE_OPERATION_TIMEDOUT:
                return result(TransferEnd::Interrupted, "the transfer stalled: " + said);
            case CURLE_PARTIAL_FILE:
                return result(TransferEnd::Interrupted, "the connection ended too early: " + said);
            default:
                return result(TransferEnd::Interrupted, said);
        }
    }

    const TransferRequest& request_;
    const TransferSink& sink_;
    std::unique_ptr<CURL, Free> curl_;
    std::unique_ptr<curl_slist, Free> headers_;
    bool usable_ = true;  ///< every option was accepted: without one of them, nothing is connected to
    std::array<char, CURL_ERROR_SIZE> error_{};
    std::string refused_;  ///< an address
    bool tried_ = false;   ///< there is an address, too, that may be connected to
    std::string etag_;
    std::string date_;
    std::optional<ContentRange> range_;
    bool web_page_ = false;
    bool begun_ = false;
    std::uint64_t at_ = 0;     ///< bytes of the file so far
    std::uint64_t total_ = 0;  ///< of the whole file; 0: unknown
    std::optional<TransferResult> stopped_;
};

}  // namespace

TransferResult transfer(const TransferRequest& request, const TransferSink& sink) {
    return Transfer(request, sink).run();
}

std::expected<Connection, TransferResult> Connection::open(const std::string& host, unsigned port,
                                                           const std::vector<Network>& private_networks,
                                                           const TransferLimits& limits) {
    const TransferRequest request{
        fmt::format("http://{}:{}/", host, port), 0, "", "", private_networks, limits};
    const TransferSink nowhere;
    curl_socket_t socket = CURL_SOCKET_BAD;
    auto owner = Transfer(request, nowhere).connect(socket);
    if (!owner) return std::unexpected(std::move(owner.error()));
    return Connection(std::move(*owner), socket);
}

}  // namespace left4me::builder
