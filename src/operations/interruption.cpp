#include "operations/interruption.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace left4me::operations {

Interruption::Interruption() {
    sigset_t taken;
    ::sigemptyset(&taken);
    ::sigaddset(&taken, SIGINT);
    ::sigaddset(&taken, SIGTERM);
    signals_ = Fd(::signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC));
    // Without a descriptor they end the process, as ever.
    if (!signals_) ::sigemptyset(&taken);
    ::pthread_sigmask(SIG_BLOCK, &taken, &before_);
}

Interruption::~Interruption() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool Interruption::came() {
    signalfd_siginfo signal{};
    if (signals_ && ::read(signals_.get(), &signal, sizeof signal) == sizeof signal) came_ = true;
    return came_;
}

}  // namespace left4me::operations
