"""AdmissionReview in, AdmissionResponse out."""
