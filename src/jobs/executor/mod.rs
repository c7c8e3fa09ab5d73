//! What an executor of runs is: the seam between the job engine and the thing that runs a job.
