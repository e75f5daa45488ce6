// What every user of oneDNN shares: the engine, the stream, the thread count of one call, and a bounded cache of primitives.
// Included only by files that are compiled once, in the baseline pass.
#pragma once
#if defined(FLAM_ONEDNN)
#include <dnnl.hpp>
#if defined(FLAM_OPENMP)
#include <omp.h>
#endif
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "error.h"
#include "memory.h"
#include "parallel.h"

namespace flam {
namespace onednn {

inline const dnnl::engine& engine() {
  static const auto* e = new dnnl::engine(dnnl::engine::kind::cpu, 0);  // never destroyed: calls may come while the process ends
  return *e;
}

inline dnnl::stream& stream() {
  thread_local dnnl::stream s(engine());
  return s;
}

// While it lives, oneDNN makes and runs primitives on the calling thread alone: work is shared among the threads of the pool instead, since
// those of OpenMP, from which oneDNN would take its own, keep the cores busy for milliseconds after each call.
class on_this_thread {
 public:
#if defined(FLAM_OPENMP)
  on_this_thread() : before_(omp_get_max_threads()) { set(1); }
  ~on_this_thread() { set(before_); }
#else
  on_this_thread() {}
#endif
  on_this_thread(const on_this_thread&) = delete;
  on_this_thread& operator=(const on_this_thread&) = delete;

#if defined(FLAM_OPENMP)
 private:
  static void set(int threads) {
    if (omp_get_max_threads() != threads) omp_set_num_threads(threads);
  }
  int before_;
#endif
};

// Everything a primitive was made for.
struct key {
  std::vector<int64_t> values;
  bool operator==(const key& other) const { return values == other.values; }
};
struct key_hash {
  size_t operator()(const key& k) const {
    uint64_t h = 0x9e3779b97f4a7c15;
    for (int64_t v : k.values) h = (h ^ uint64_t(v)) * 0xff51afd7ed558ccd, h ^= h >> 32;
    return size_t(h);
  }
};

// The last `capacity` entries by use. Entries are immutable and shared, so one may run on several threads and outlive its eviction.
template <class Entry>
class primitive_cache {
 public:
  explicit primitive_cache(size_t capacity) : capacity_(capacity) {}

  template <class Make>
  std::shared_ptr<const Entry> get(const key& k, const Make& make) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto found = index_.find(k);
      if (found != index_.end()) {
        order_.splice(order_.begin(), order_, found->second);
        return found->second->second;
      }
    }
    std::shared_ptr<const Entry> made = make();
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = index_.find(k);
    if (found != index_.end()) return found->second->second;
    order_.emplace_front(k, made);
    index_[k] = order_.begin();
    if (order_.size() > capacity_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    return made;
  }

 private:
  using item = std::pair<key, std::shared_ptr<const Entry>>;
  size_t capacity_;
  std::mutex mutex_;
  std::list<item> order_;
  std::unordered_map<key, typename std::list<item>::iterator, key_hash> index_;
};

inline dnnl::memory::data_type data_type(int32_t dtype) {
  switch (dtype) {
    case FLAM_FLOAT32:
      return dnnl::memory::data_type::f32;
    case FLAM_FLOAT16:
      return dnnl::memory::data_type::f16;
    case FLAM_BFLOAT16:
      return dnnl::memory::data_type::bf16;
    default:
      return dnnl::memory::data_type::undef;
  }
}

// Scratchpads come from the caller, so that one primitive may run on several threads at once.
inline dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// The reference implementations are slower than the library's own code.
template <class Desc>
bool usable(const Desc& pd) {
  return bool(pd) && std::string(pd.impl_info_str()).find("ref") == std::string::npos;
}

inline dnnl::memory view(const dnnl::memory::desc& desc, const void* data) { return dnnl::memory(desc, engine(), const_cast<void*>(data)); }

}  // namespace onednn
}  // namespace flam
#endif
