#include "adapters/confinement/confinement.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "support/catch.hpp"

using namespace left4me;

TEST_CASE("a process that parses can open no file and no socket") {
    const pid_t child = ::fork();
    if (child == 0) {
        if (!confine(Confinement::ParseOnly)) ::_exit(1);
        if (::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM) ::_exit(2);
        if (::socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM) ::_exit(3);
        if (::kill(::getppid(), 0) == 0) ::_exit(4);
        if (::fork() >= 0) ::_exit(5);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a process without a network can make no socket, and nothing else changes") {
    const pid_t child = ::fork();
    if (child == 0) {
        if (!confine(Confinement::NoNetwork)) ::_exit(1);
        for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET}) {
            if (::socket(family, SOCK_DGRAM, 0) >= 0 || errno != EPERM) ::_exit(2);
        }
        if (::open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0) ::_exit(3);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a process with bound sockets sends and receives on them, and makes no other one") {
    const pid_t child = ::fork();
    if (child == 0) {
        const int bound = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const address = reinterpret_cast<sockaddr*>(&own);
        socklen_t length = sizeof own;
        if (::bind(bound, address, length) != 0 || ::getsockname(bound, address, &length) != 0) ::_exit(1);
        if (!confine(Confinement::BoundSockets)) ::_exit(2);
        char byte = 'x';
        if (::sendto(bound, &byte, 1, 0, address, length) != 1) ::_exit(3);
        pollfd awaited{.fd = bound, .events = POLLIN, .revents = 0};
        if (::poll(&awaited, 1, 5000) != 1) ::_exit(4);
        if (::recvfrom(bound, &byte, 1, 0, address, &length) != 1) ::_exit(5);
        for (const int kind : {SOCK_STREAM, SOCK_DGRAM}) {
            if (::socket(AF_INET, kind, 0) >= 0 || errno != EPERM) ::_exit(6);
        }
        if (::connect(bound, address, length) == 0) ::_exit(7);
        if (::kill(::getppid(), 0) == 0) ::_exit(8);
        if (::fork() >= 0) ::_exit(9);
        const int file = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        if (file < 0 || ::close(file) != 0) ::_exit(10);
        if (::execl("/bin/true", "true", nullptr) == 0 || errno != EPERM) ::_exit(11);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}
