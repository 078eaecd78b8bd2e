#include "site/https_server.hpp"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <stdexcept>

namespace left4me {

namespace {

template <auto Free>
struct Freeing {
    template <typename Object>
    void operator()(Object* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Freeing<X509_free>>;

void must(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("https server: ") + what);
}

void extend(X509* certificate, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
    must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "certificate");
    X509_EXTENSION_free(extension);
}

Cert make_certificate(EVP_PKEY* key, HttpsServer::Certificate wanted) {
    constexpr long day = 24 * 3600;
    const bool expired = wanted == HttpsServer::Certificate::Expired;
    Cert certificate(X509_new());
    X509* const x = certificate.get();
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), expired ? -2 * day : -day);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), expired ? -day : day);
    (void)X509_set_pubkey(x, key);
    X509_NAME* const name = X509_get_subject_name(x);
    const auto text = std::to_array<unsigned char>({'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', '\0'});
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text.data(), -1, -1, 0);
    (void)X509_set_issuer_name(x, name);
    extend(x, NID_basic_constraints, "critical,CA:TRUE");
    extend(x, NID_subject_alt_name, "DNS:localhost,DNS:site.example,IP:127.0.0.1,IP:::1");
    must(X509_sign(x, key, EVP_sha256()) > 0, "signing");
    return certificate;
}

std::string pem_of(X509* certificate) {
    BIO* const memory = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509(memory, certificate) == 1, "PEM");
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
}

HttpRequest parse(const std::string& head) {
    HttpRequest request;
    const std::size_t path = head.find(' ') + 1;
    request.method = head.substr(0, path - 1);
    request.path = head.substr(path, head.find(' ', path) - path);
    const std::size_t end = head.find("\r\n\r\n");
    request.body = head.substr(end + 4);
    for (std::size_t at = head.find("\r\n"); at < end;) {
        const std::size_t begin = at + 2;
        at = head.find("\r\n", begin);
        const std::string line = head.substr(begin, at - begin);
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) continue;
        std::string name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.headers[name] = line.substr(colon + 2);
    }
    return request;
}

}  // namespace

bool HttpAnswer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        if (pause_ > pause_.zero()) std::this_thread::sleep_for(pause_);
        const int wrote = SSL_write(connection_, bytes.data(),
                                    static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 14U)));
        if (wrote <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

void HttpAnswer::reply(int status, std::string_view body, const std::string& headers) {
    (void)send("HTTP/1.1 " + std::to_string(status) + " Said\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\nConnection: close\r\n" + headers + "\r\n");
    (void)send(body);
}

void HttpAnswer::file(const HttpRequest& request, std::string_view content, const std::string& etag) {
    const std::string tag = "ETag: " + etag + "\r\n";
    const auto range = request.headers.find("range");
    const auto condition = request.headers.find("if-range");
    const bool same = condition == request.headers.end() || condition->second == etag;
    if (range == request.headers.end() || !same) return reply(200, content, tag);
    const std::size_t first = std::stoull(range->second.substr(range->second.find('=') + 1));
    if (first >= content.size()) return reply(416, "", tag);
    const std::string whole = std::to_string(content.size());
    reply(206, content.substr(first),
          tag + "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(content.size() - 1) +
              "/" + whole + "\r\n");
}

HttpsServer::HttpsServer(Handler handler, Certificate certificate, std::uint16_t port)
    : handler_(std::move(handler)), context_(SSL_CTX_new(TLS_server_method())) {
    (void)::signal(SIGPIPE, SIG_IGN);
    const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const Cert own = make_certificate(key.get(), certificate);
    must(context_ != nullptr && SSL_CTX_use_certificate(context_, own.get()) == 1 &&
             SSL_CTX_use_PrivateKey(context_, key.get()) == 1,
         "key");
    pem_ = pem_of(own.get());
    listen(port);
    acceptor_ = std::jthread([this] { accept(); });
}

HttpsServer::~HttpsServer() {
    (void)::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int client : clients_) (void)::shutdown(client, SHUT_RDWR);
    }
    threads_.clear();
    (void)::close(listener_);
    for (const int client : clients_) (void)::close(client);
    SSL_CTX_free(context_);
}

void HttpsServer::listen(std::uint16_t port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    (void)::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    must(::bind(listener_, at, size) == 0 && ::listen(listener_, 16) == 0 &&
             ::getsockname(listener_, at, &size) == 0,
         "listening");
    port_ = ntohs(address.sin_port);
}

std::string HttpsServer::url(const std::string& path) const {
    return "https://127.0.0.1:" + std::to_string(port_) + path;
}

void HttpsServer::accept() {
    while (true) {
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        const std::lock_guard lock(mutex_);
        clients_.push_back(client);
        threads_.emplace_back([this, client] { serve(client); });
    }
}

void HttpsServer::serve(int client) {
    SSL* const connection = SSL_new(context_);
    (void)SSL_set_fd(connection, client);
    std::string head;
    if (SSL_accept(connection) == 1) {
        std::array<char, 4096> buffer{};
        while (!head.contains("\r\n\r\n")) {
            const int got = SSL_read(connection, buffer.data(), static_cast<int>(buffer.size()));
            if (got <= 0) break;
            head.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    if (const std::size_t end = head.find("\r\n\r\n"); end != std::string::npos) {
        ++requests_;
        HttpRequest request = parse(head);
        const auto length = request.headers.find("content-length");
        const std::size_t wanted = length == request.headers.end() ? 0 : std::stoull(length->second);
        std::array<char, 4096> buffer{};
        while (request.body.size() < wanted) {
            const int got = SSL_read(connection, buffer.data(), static_cast<int>(buffer.size()));
            if (got <= 0) break;
            request.body.append(buffer.data(), static_cast<std::size_t>(got));
        }
        HttpAnswer answer(connection);
        handler_(request, answer);
        (void)SSL_shutdown(connection);
    }
    ERR_clear_error();
    SSL_free(connection);
    (void)::shutdown(client, SHUT_RDWR);
}

}  // namespace left4me
