// Fibers: stacks, and the switch between them, which saves the registers that a call must keep.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "executor.h"

extern "C" void flam_emu_switch(void** save_stack_pointer, void* load_stack_pointer);
extern "C" void flam_emu_fiber_start() {
  flam_emu::fiber* f = flam_emu::this_fiber();
  f->owner->fiber_main(f);
  std::abort();
}

#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.globl flam_emu_switch
.hidden flam_emu_switch
.type flam_emu_switch,@function
flam_emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size flam_emu_switch,.-flam_emu_switch
)");
static void* first_frame(char* top) {  // top % 16 == 0
  constexpr int registers = 6;
  void** p = reinterpret_cast<void**>(top);
  *--p = nullptr;  // the return address that ends backtraces; also makes rsp % 16 == 8 at the start
  *--p = reinterpret_cast<void*>(&flam_emu_fiber_start);
  for (int i = 0; i < registers; i++) *--p = nullptr;
  return p;
}
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.globl flam_emu_switch
.hidden flam_emu_switch
.type flam_emu_switch,%function
flam_emu_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  br x30
)");
static void* first_frame(char* top) {
  constexpr int words = 20, link_register = 11;
  void** p = reinterpret_cast<void**>(top) - words;
  std::memset(p, 0, words * sizeof(void*));
  p[link_register] = reinterpret_cast<void*>(&flam_emu_fiber_start);
  return p;
}
#else
#error "the emulation has no fiber switch for this CPU"
#endif

namespace flam_emu {

__thread Thread* cur __attribute__((tls_model("initial-exec"))) = nullptr;

void restart(fiber& f, size_t index) {
  // Tops at different offsets in their pages: at the same one they compete for the same cache sets (softmax took 27 % longer).
  const size_t stagger = index * 320 % 4096 / 64 * 64;
  f.state = fiber_state::idle;
  f.fenced = false;
  f.copies.clear();
  f.copy_group = 0;
  f.stack_pointer = first_frame(f.stack + stack_bytes - 64 - stagger);
}

void add_fibers(worker& w) {
  constexpr size_t batch = 32, guard = 4096;
  void* block = mmap(nullptr, batch * stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) std::abort();
  for (size_t i = 0; i < batch; i++) {
    w.fibers.push_back(std::make_unique<fiber>());
    fiber& f = *w.fibers.back();
    f.owner = &w;
    f.stack = static_cast<char*>(block) + i * stack_bytes;
    mprotect(f.stack, guard, PROT_NONE);
    restart(f, w.fibers.size() - 1);
  }
  for (size_t i = 1; i <= batch; i++) w.idle.push_back(w.fibers[w.fibers.size() - i].get());
}

void switch_fiber(fiber& from, fiber& to) { flam_emu_switch(&from.stack_pointer, to.stack_pointer); }

}  // namespace flam_emu
