#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <cstddef>
#include <optional>

#include "privileged/helper/batch.hpp"
#include "privileged/helper/manager.hpp"

namespace left4me::helper {

inline constexpr const char* bus_name = "org.left4me.Helper1";
inline constexpr const char* object_path = "/org/left4me/Helper1";
inline constexpr const char* interface_name = "org.left4me.Helper1";
inline constexpr std::size_t max_batch = 4096;
/// Maximum number of names in all pending requests, so that many simultaneous callers cannot fill the memory.
inline constexpr std::size_t max_names_under_way = 8 * max_batch;

/// org.left4me.Helper1 on the bus: who may call, which names are valid, and when to exit.
class Service {
  public:
    /// Neither is owned; both must outlive the service.
    Service(sd_bus* bus, sd_event* event);

    /// Exports the object and requests the name. Negative errno on failure.
    int begin();
    /// Releases the name, answers all accepted requests, then ends the event loop.
    void close();

  private:
    using Verb = void (*)(Manager&, const BatchPtr&);
    template <Verb verb>
    static int handle(sd_bus_message* call, void* userdata, sd_bus_error* error);
    int accept(Verb verb, sd_bus_message* call, sd_bus_error* error);
    static int handle_tune(sd_bus_message* call, void* service, sd_bus_error* error);
    BatchPtr begin_batch(std::vector<Entry> entries, sd_bus_message* call, sd_bus_error* error);
    bool may_call(sd_bus_message* call, sd_bus_error* error) const;
    void answer(sd_bus_message* call, const Batch& batch);
    void rest();

    static const sd_bus_vtable vtable_[];

    sd_bus* bus_;
    sd_event* event_;
    Manager manager_;
    std::optional<uid_t> left4me_;
    sd_event_source* idle_ = nullptr;
    std::size_t under_way_ = 0;  ///< requests
    std::size_t names_under_way_ = 0;
    bool closing_ = false;
};

}  // namespace left4me::helper
