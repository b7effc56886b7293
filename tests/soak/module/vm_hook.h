// vm_hook.h - included before every file of this build: the virtual machine counts its jumps, so that a life can be ended at any of
// them, in the middle of whatever the program does.

#if !defined(SOAK_VM_HOOK_H) && !defined(__ASSEMBLER__)
#define SOAK_VM_HOOK_H

extern unsigned soak_jumps; // that are left; 0: none is counted
void soak_end_of_jumps(void);

#define MICROPY_VM_HOOK_LOOP                    \
    if (soak_jumps != 0 && --soak_jumps == 0) { \
        soak_end_of_jumps();                    \
    }

#endif
