#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace left4me::test {

/// A web server on every loopback address with a self-signed certificate for 127.0.0.1. It gives the same
/// answer to every request.
class TlsServer {
  public:
    explicit TlsServer(std::string answer);
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;
    ~TlsServer();

    unsigned port() const { return port_; }
    /// The certificate, as in a file of authorities.
    const std::string& certificate() const { return certificate_; }
    /// The number of requests received.
    int requests() const { return requests_; }

  private:
    void make_certificate();
    void serve();
    void answer(int connection);

    std::string answer_;
    std::string certificate_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    int listener_ = -1;
    unsigned port_ = 0;
    std::atomic<int> requests_ = 0;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

}  // namespace left4me::test
