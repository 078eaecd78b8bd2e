#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace left4me {

/// One request to an HttpsServer.
struct HttpRequest {
    std::string method;
    std::string path;
    std::map<std::string, std::string> headers;  ///< by name, in lower case
    std::string body;
};

/// The connection that a request came from: whatever is sent is the answer, also a wrong one.
class HttpAnswer {
  public:
    explicit HttpAnswer(ssl_st* connection) : connection_(connection) {}
    /// From now on, waits before every 16 KiB.
    void slow_down(std::chrono::milliseconds pause) { pause_ = pause; }
    /// False when the client has gone.
    bool send(std::string_view bytes);
    /// A whole answer. `headers`: lines that end in "\r\n".
    void reply(int status, std::string_view body, const std::string& headers = {});
    /// A file, or the part that the request asks for with Range and If-Range.
    void file(const HttpRequest& request, std::string_view content, const std::string& etag);

  private:
    ssl_st* connection_;
    std::chrono::milliseconds pause_{};
};

/// A web server over TLS on a port of 127.0.0.1, with a certificate of its own for localhost and 127.0.0.1.
/// Each connection carries one request.
class HttpsServer {
  public:
    using Handler = std::function<void(const HttpRequest&, HttpAnswer&)>;
    enum class Certificate { Valid, Expired };

    explicit HttpsServer(Handler handler, Certificate certificate = Certificate::Valid,
                         std::uint16_t port = 0);
    ~HttpsServer();
    HttpsServer(const HttpsServer&) = delete;
    HttpsServer& operator=(const HttpsServer&) = delete;

    std::string url(const std::string& path) const;
    /// Its certificate, in PEM: who trusts it trusts the server.
    const std::string& certificate() const { return pem_; }
    unsigned requests() const { return requests_; }

  private:
    void listen(std::uint16_t port);
    void accept();
    void serve(int client);

    Handler handler_;
    ssl_ctx_st* context_ = nullptr;
    std::string pem_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<unsigned> requests_ = 0;
    std::mutex mutex_;
    std::vector<int> clients_;
    std::vector<std::jthread> threads_;
    std::jthread acceptor_;
};

}  // namespace left4me
