#include "proxy/request.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace left4me::proxy;

TEST_CASE("a client asks for a connection, or for a page of a site", "[proxy]") {
    struct Good {
        std::string head;
        std::string host;
        std::string port;
        std::string forward;
    };
    const std::vector<Good> all{
        {"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n", "example.org", "443", ""},
        {"CONNECT [2a00::1]:8443 HTTP/1.0\r\n\r\n", "2a00::1", "8443", ""},
        {"GET http://example.org/a?b#c HTTP/1.1\r\nHost: other\r\nAccept: */*\r\nProxy-Connection: "
         "Keep-Alive\r\n\r\n",
         "example.org", "80",
         "GET /a?b#c HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nConnection: close\r\n\r\n"},
        {"GET HTTP://example.org:8080 HTTP/1.0\r\nCONNECTION: keep-alive\r\n\r\n", "example.org", "8080",
         "GET / HTTP/1.0\r\nHost: example.org:8080\r\nConnection: close\r\n\r\n"},
        {"POST http://[::1]?q HTTP/1.1\r\nContent-Length: 3\r\n\r\n", "::1", "80",
         "POST /?q HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"},
    };
    for (const Good& good : all) {
        INFO(good.head);
        CHECK(head_length(good.head + "more") == good.head.size());
        const auto request = parse_request(good.head);
        REQUIRE(request);
        CHECK(request->host == good.host);
        CHECK(request->port == good.port);
        CHECK(request->forward == good.forward);
    }
}

TEST_CASE("what is no request of a proxy is none", "[proxy]") {
    using namespace std::string_literals;
    const std::vector<std::string> all{
        "",
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET https://example.org/ HTTP/1.1\r\n\r\n",
        "GET ftp://example.org/ HTTP/1.1\r\n\r\n",
        "GET http:// HTTP/1.1\r\n\r\n",
        "GET http://user:password@example.org/ HTTP/1.1\r\n\r\n",
        "GET http://example.org/ HTTP/2\r\n\r\n",
        "GET http://example.org/a b HTTP/1.1\r\n\r\n",
        "GET http://exa\0mple.org/ HTTP/1.1\r\n\r\n"s,
        "GET http://example.org/\r\n HTTP/1.1\r\n\r\n",
        "GET http://ex\xc3\xa4mple.org/ HTTP/1.1\r\n\r\n",
        "GET http://fe80::1%eth0/ HTTP/1.1\r\n\r\n",
        "CONNECT example.org HTTP/1.1\r\n\r\n",
        "CONNECT example.org: HTTP/1.1\r\n\r\n",
        "CONNECT example.org:0 HTTP/1.1\r\n\r\n",
        "CONNECT example.org:65536 HTTP/1.1\r\n\r\n",
        "CONNECT example.org:+80 HTTP/1.1\r\n\r\n",
        "CONNECT example.org:ssh HTTP/1.1\r\n\r\n",
        "CONNECT 1:2:3 HTTP/1.1\r\n\r\n",
        "CONNECT [::1 HTTP/1.1\r\n\r\n",
        "CONNECT [::1]80 HTTP/1.1\r\n\r\n",
        "CONNECT [fe80::1%eth0]:80 HTTP/1.1\r\n\r\n",
        "CONNECT " + std::string(254, 'a') + ":80 HTTP/1.1\r\n\r\n",
        "CONNECT example.org:80 HTTP/1.1\r\nx: " + std::string(max_head, 'x') + "\r\n\r\n",
        "CONNECT example.org:80 HTTP/1.1\r\n\r\nmore",
        "CONNECT example.org:80 HTTP/1.1",
    };
    for (const std::string& head : all) {
        INFO(head);
        CHECK_FALSE(parse_request(head));
    }
    CHECK(head_length("CONNECT example.org:80 HTTP/1.1\r\n") == 0);
}
