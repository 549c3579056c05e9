//! `provost inspect`: decodes CWMP messages and says what each tells.
