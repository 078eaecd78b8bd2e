#include <fmt/format.h>
#include <git2.h>

#include "adapters/git/fetch.hpp"
#include "adapters/git/library.hpp"
#include "adapters/git/tls_server.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using left4me::test::Scratch;
using left4me::test::TlsServer;

namespace {

std::string fetch_error(const Scratch& here, unsigned port, const std::string& host = "127.0.0.1") {
    GitSettings settings;
    settings.repository = here.path() / "here.git";
    settings.remote = fmt::format("https://{}:{}/m.git", host, port);
    const auto fetched = git::fetch_remote(settings);
    REQUIRE_FALSE(fetched);
    return fetched.error();
}

/// From here on, the server's own certificate counts as an authority in this process.
void trust(const Scratch& here, const TlsServer& server) {
    git::use_library();
    const std::string file = here.write("authorities.pem", server.certificate()).string();
    REQUIRE(git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file.c_str(), nullptr) == 0);
}

}  // namespace

TEST_CASE("an https server with a self-signed certificate is refused") {
    const Scratch here;
    const TlsServer server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    CHECK(fetch_error(here, server.port()).find("certificate of 127.0.0.1 is not valid") !=
          std::string::npos);
    CHECK(server.requests() == 0);
}

TEST_CASE("a certificate for another name is refused, even if an authority signed it") {
    const Scratch here;
    const TlsServer server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    trust(here, server);
    CHECK(fetch_error(here, server.port(), "127.0.0.2").find("certificate of 127.0.0.2 is not valid") !=
          std::string::npos);
    CHECK(server.requests() == 0);
    // With its own name it is.
    CHECK(fetch_error(here, server.port()).find("404") != std::string::npos);
    CHECK(server.requests() > 0);
}

TEST_CASE("a redirect to another host is not followed") {
    const Scratch here;
    const TlsServer elsewhere("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const TlsServer server(fmt::format(
        "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.2:{}/m.git/info/refs?service=git-upload-pack\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.port()));
    trust(here, server);
    CHECK(fetch_error(here, server.port()).find("redirect") != std::string::npos);
    CHECK(server.requests() == 1);
    CHECK(elsewhere.requests() == 0);
}

TEST_CASE("a server that keeps asking for credentials is not retried forever") {
    const Scratch here;
    const TlsServer server(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"m\"\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n");
    trust(here, server);
    CHECK(fetch_error(here, server.port()).find("source.git.key") != std::string::npos);

    GitSettings settings;
    settings.repository = here.path() / "here.git";
    settings.remote = fmt::format("https://127.0.0.1:{}/m.git", server.port());
    settings.key = here.write("token", "not the right one\n");
    const auto fetched = git::fetch_remote(settings);
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().find("does not accept") != std::string::npos);
    CHECK(fetched.error().find("not the right one") == std::string::npos);
    CHECK(server.requests() <= 4);
}
