#pragma once

#include <systemd/sd-bus.h>

#include <memory>

namespace left4me::helper {

struct MessageUnref {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using MessagePtr = std::unique_ptr<sd_bus_message, MessageUnref>;

/// For functions that return a new message through a pointer.
class MessageOut {
  public:
    explicit MessageOut(MessagePtr& target) : target_(target) {}
    MessageOut(const MessageOut&) = delete;
    MessageOut& operator=(const MessageOut&) = delete;
    ~MessageOut() { target_.reset(raw_); }
    operator sd_bus_message**() { return &raw_; }  // NOLINT(google-explicit-constructor)

  private:
    MessagePtr& target_;
    sd_bus_message* raw_ = nullptr;
};
inline MessageOut out(MessagePtr& target) { return MessageOut(target); }

}  // namespace left4me::helper
